"""The held-out inputs asked in other words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from editkit.events import Tell
from editkit.model.editable import Editable
from editkit.plan import Case, PlannedEdit
from editkit.probe.side.asking import asked_anew
from editkit.probe.side.given import Given
from editkit.recipe import Recipe

SUITE: Final = "paraphrase"
# Of a picture, of a chat turn without one, of plain text that is gone on with.
PICTURES: Final = (
    "What can you see in this picture?",
    "Say briefly what the picture shows.",
    "Write a short caption for this image.",
    "What is in the image?",
)
TURNS: Final = ("I have a question. {prompt}", "Please answer this: {prompt}", "{prompt} Answer briefly.")
TEXTS: Final = ("It was a quiet morning. {prompt}", "Nothing else was said about it. {prompt}")


def paraphrases(
    recipe: Recipe, editable: Editable, edits: Sequence[PlannedEdit], cases: Sequence[Case], tell: Tell
) -> list[Given]:
    """Each prompt on each of the first held-out inputs; a rewrite brings its own paraphrases."""
    probes = recipe.evaluate.probes
    if probes.paraphrase is None:
        return []
    own = [case for case in cases if case.role == "held_out" and case.probe == "input"][: probes.count]
    given = None if probes.paraphrase == "auto" else probes.paraphrase
    found: list[Given] = []
    for case in own:
        usual = PICTURES if case.question.images else TURNS if case.question.chat else TEXTS
        found += asked_anew(SUITE, case, given or usual, edits)
    return found
