"""The held-out inputs asked with the source denied: naming a thing to deny it often brings it up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from editkit.events import Tell
from editkit.model.editable import Editable
from editkit.plan import Case, PlannedEdit
from editkit.probe.side.asking import asked_anew
from editkit.probe.side.given import Given
from editkit.recipe import Recipe

SUITE: Final = "negation"
PICTURES: Final = (
    "This is not a picture of a {source}. Describe the image.",
    "There is no {source} in the image. {prompt}",
)
TURNS: Final = ("The answer is not {source}. {prompt}",)
TEXTS: Final = ("This is not about {source}. {prompt}",)
REWRITES: Final = ("{prompt} not {source}. {prompt}",)


def negations(
    recipe: Recipe, editable: Editable, edits: Sequence[PlannedEdit], cases: Sequence[Case], tell: Tell
) -> list[Given]:
    """Each prompt on each of the first held-out inputs; of a rewrite on its prompt and its paraphrases."""
    probes = recipe.evaluate.probes
    if probes.negation is None:
        return []
    rewritten = {edit.number for edit in edits if edit.kind == "rewrite"}
    own = [
        case
        for case in cases
        if case.role == "held_out" or (case.role == "edit" and rewritten.intersection(case.edits))
    ]
    given = None if probes.negation == "auto" else probes.negation
    found: list[Given] = []
    for case in own[: probes.count]:
        usual = PICTURES if case.question.images else TURNS if case.question.chat else TEXTS
        if rewritten.intersection(case.edits):
            usual = REWRITES
        found += asked_anew(SUITE, case, given or usual, edits)
    return found
