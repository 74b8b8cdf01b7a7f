"""Activation difference: what neurons emit more of where the concept is than where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from editkit.events import Tell, stage
from editkit.locate.localizer import Scores, Scoring
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from editkit.model.editable import Editable


class ActivationDifference(Scoring):
    """Activations before a picture minus those before its twin without the concept, or before other inputs.

    `twins`: the first stage of Sato and Takagi 2025 (arXiv 2503.22941), for pictures whose objects are
    known. `others`: the mean over the cases that say the source minus the mean over those that do not; it
    needs no masks and no pictures. Activations are reduced over the picture's tokens (before the answer,
    where the layers see none), or read in the answer: where the source is said, after the same words before
    picture and twin; everywhere in it, for other inputs (ours).
    """

    name: ClassVar[str] = "activation_difference"

    against: Literal["twins", "others"] = Field("twins", description="inpainted twins, or other inputs")
    at: Literal["picture", "answer"] = Field("picture", description="the picture's tokens, or the answer")
    reduce: Literal["max", "mean"] = Field("max", description="over the picture's tokens")
    batch_size: int = Field(32, ge=1, description="pictures in a forward pass")

    @property
    def nulls(self) -> int | None:
        return 0 if self.against == "twins" else None

    def scores(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], tell: Tell
    ) -> tuple[Scores, ...]:
        """See `Scoring.scores`: mean difference of activations.

        Raises:
            InputError: an edit has no twins, or no other inputs to compare with.
        """
        from editkit.locate.differences import differences, pairs
        from editkit.locate.others import against_others

        if self.against == "others":
            with stage(tell, "locate", len(plan.cases)) as advance:
                return against_others(editable, plan, layers, self.at, self.reduce, self.batch_size, advance)
        asked = pairs(editable, plan)
        with stage(tell, "locate", len(asked)) as advance:
            return differences(
                editable, plan, asked, layers, self.at, self.reduce, self.batch_size, advance
            ).observed
