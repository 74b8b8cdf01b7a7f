"""EditPlan -> Neurons: which feed-forward neurons put the words there."""

from typing import Final

LOCALIZERS: Final = {
    "contribution": "editkit.locate.contribution:Contribution",
    "listed": "editkit.locate.listed:Listed",
    "random": "editkit.locate.random:Random",
}
