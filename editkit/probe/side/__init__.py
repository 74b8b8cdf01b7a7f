"""Inputs that are only there to be scored for side effects: one file a suite, one line in the table.

A source takes the recipe, the model, its edits, the cases that have their roles and whom to tell what is
missing, and gives inputs: none where the recipe does not ask for its suite.
"""

from typing import Final

SOURCES: Final[dict[str, str]] = {
    "chair": "editkit.probe.side.chair:given",
    "pope": "editkit.probe.side.pope:given",
}
