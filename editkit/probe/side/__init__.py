"""Inputs that are only there to be scored for side effects: one file a suite, one line in the table.

A source takes the recipe, the model, its edits, the cases that have their roles and whom to tell what is
missing, and gives inputs: none where the recipe does not ask for its suite.
"""

from typing import Final

SOURCES: Final = {
    "paraphrase": "editkit.probe.side.paraphrase:paraphrases",
    "negation": "editkit.probe.side.negation:negations",
    "modality": "editkit.probe.side.modality:modalities",
    "perplexity": "editkit.probe.side.perplexity:windows",
    "chair": "editkit.probe.side.chair:pictured",
    "pope": "editkit.probe.side.pope:polled",
}
