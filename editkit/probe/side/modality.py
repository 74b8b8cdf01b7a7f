"""What pictures and prompts do alone: the prompt without its picture, the picture with an empty prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from editkit.events import Tell
from editkit.model.editable import Editable
from editkit.plan import Case, PlannedEdit
from editkit.probe.questions import question
from editkit.probe.side.given import Given
from editkit.recipe import Recipe

TEXT_ONLY: Final = "text_only"
IMAGE_ONLY: Final = "image_only"


def modalities(
    recipe: Recipe, editable: Editable, edits: Sequence[PlannedEdit], cases: Sequence[Case], tell: Tell
) -> list[Given]:
    """Of the first held-out and the first control inputs with pictures; equal prompts are asked once."""
    probes = recipe.evaluate.probes
    if not probes.modality:
        return []
    found = []
    for role in ("held_out", "control"):
        seen = [case.question for case in cases if case.role == role and case.question.images]
        for one in seen[: probes.count]:
            found.append(Given(TEXT_ONLY, question(one.prompt, chat=one.chat), None))
            found.append(Given(IMAGE_ONLY, question("", one.images, chat=one.chat), None))
    return found
