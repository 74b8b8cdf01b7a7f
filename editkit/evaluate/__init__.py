"""What the model says -> Scores: every metric is a pure function of before and after observations."""

from typing import Final

METRICS: Final = {
    "efficacy": "editkit.evaluate.efficacy:EFFICACY",
    "generalization": "editkit.evaluate.efficacy:GENERALIZATION",
    "counterfactual": "editkit.evaluate.counterfactual:COUNTERFACTUAL",
    "locality": "editkit.evaluate.locality:LOCALITY",
    "drift": "editkit.evaluate.drift:DRIFT",
    "chair_s": "editkit.evaluate.chair:CHAIR_S",
    "chair_i": "editkit.evaluate.chair:CHAIR_I",
    "object_recall": "editkit.evaluate.chair:OBJECT_RECALL",
    "caption_length": "editkit.evaluate.chair:CAPTION_LENGTH",
    "pope_accuracy": "editkit.evaluate.pope:POPE_ACCURACY",
    "pope_precision": "editkit.evaluate.pope:POPE_PRECISION",
    "pope_recall": "editkit.evaluate.pope:POPE_RECALL",
    "pope_f1": "editkit.evaluate.pope:POPE_F1",
    "pope_yes": "editkit.evaluate.pope:POPE_YES",
    "pope_unclear": "editkit.evaluate.pope:POPE_UNCLEAR",
}
