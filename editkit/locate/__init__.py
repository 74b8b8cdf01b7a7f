"""EditPlan -> Neurons: which feed-forward neurons put the words there."""

from typing import Final

LOCALIZERS: Final = {
    "activation": "editkit.locate.activation:Activation",
    "activation_difference": "editkit.locate.activation_difference:ActivationDifference",
    "contribution": "editkit.locate.contribution:Contribution",
    "gradient": "editkit.locate.gradient:Gradient",
    "integrated_gradients": "editkit.locate.integrated_gradients:IntegratedGradients",
    "listed": "editkit.locate.listed:Listed",
    "log_prob_increase": "editkit.locate.log_prob_increase:LogProbIncrease",
    "random": "editkit.locate.random:Random",
    "two_stage": "editkit.locate.two_stage:TwoStage",
}
