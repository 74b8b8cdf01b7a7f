"""What the model says -> Scores: every metric is a pure function of before and after observations."""

from typing import Final

METRICS: Final = {
    "efficacy": "editkit.evaluate.efficacy:EFFICACY",
    "generalization": "editkit.evaluate.efficacy:GENERALIZATION",
    "counterfactual": "editkit.evaluate.counterfactual:COUNTERFACTUAL",
    "locality": "editkit.evaluate.locality:LOCALITY",
    "drift": "editkit.evaluate.drift:DRIFT",
}
