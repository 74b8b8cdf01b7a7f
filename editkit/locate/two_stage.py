"""Two-stage filtering: neurons that miss an object painted away, and by which the model says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from editkit.errors import InputError
from editkit.events import Noted, Shown, Tell, stage
from editkit.locate.localizer import SILENT, Scores, Scoring
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from editkit.locate.differences import Pair
    from editkit.locate.threshold import Threshold
    from editkit.model.editable import Editable


@dataclass(frozen=True)
class Filtered:
    """What both stages made of one edit: their thresholds, None where a stage was left out."""

    edit: int
    first: Threshold | None
    second: Threshold | None
    kept: int


class TwoStage(Scoring):
    """`C_k = {O'(picture) - O'(twin) > threshold}`, then `{(l, i) in C_k : o * dy/do > threshold_g}`.

    Sato and Takagi 2025 (arXiv 2503.22941), who set both thresholds by hand. Ours: activations are reduced
    over the picture's tokens, gradients over those that show the object; a threshold is a quantile of what
    random regions of equal area give (their inpainting in the first stage, the tokens that show them in the
    second); and what is kept is ranked by the second stage's score. With `at: answer` both stages look where
    the source is said, and what chance gives in the second is what painting random regions takes away.
    """

    name: ClassVar[str] = "two_stage"
    backwards: ClassVar[bool] = True

    stages: Literal["both", "difference", "gradient"] = Field("both", description="both, or one alone")
    quantile: float = Field(0.95, gt=0, lt=1, description="of the null distribution, for both thresholds")
    threshold: float | None = Field(None, description="of the differences, by hand, in activations")
    threshold_gradient: float | None = Field(None, description="of the second stage, by hand, in logits")
    at: Literal["picture", "answer"] = Field(
        "picture", description="the picture's tokens, or the positions where the source is said"
    )
    regions: int = Field(2, ge=1, description="random regions for each picture")
    reduce: Literal["max", "mean"] = Field("max", description="over the picture's tokens")
    tokens: Literal["all", "first"] = Field("all", description="every sub-token of the source, or its first")
    batch_size: int = Field(16, ge=1, description="pictures in a pass")

    @property
    def nulls(self) -> int | None:
        return self.regions

    @property
    def by_region(self) -> bool:
        return self.at == "picture" and self.stages != "difference"

    def scores(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], tell: Tell
    ) -> tuple[Scores, ...]:
        """See `Scoring.scores`: the last stage's score of every neuron that is kept, -inf of all others.

        Raises:
            InputError: no picture of an edit has a twin.
        """
        import torch

        from editkit.locate.differences import pairs
        from editkit.locate.threshold import flat, threshold

        asked = pairs(editable, plan)
        first = self._first(editable, plan, asked, layers, tell) if self.stages != "gradient" else None
        second = self._second(editable, plan, asked, layers, tell) if self.stages != "difference" else None
        found = []
        for place, edit in enumerate(plan.edits):
            limits: list[Threshold | None] = []
            observed: list[Scores] = []
            for one, by_hand in ((first, self.threshold), (second, self.threshold_gradient)):
                if one is None:
                    limits.append(None)
                    continue
                own = [null[place] for null in one.nulls]
                limits.append(threshold(one.observed[place], own, self.quantile, by_hand))
                observed.append(one.observed[place])
            there = [limit for limit in limits if limit is not None]
            scores = {
                key: torch.where(
                    torch.stack(
                        [one[key] > limit.value for one, limit in zip(observed, there, strict=True)]
                    ).all(0),
                    values,
                    torch.full_like(values, -torch.inf),
                )
                for key, values in observed[-1].items()
            }
            kept = int((flat(scores) > -torch.inf).sum())
            tell(Shown("thresholds", Filtered(edit.number, limits[0], limits[1], kept)))
            if second is not None and not any(bool(own.any()) for own in second.observed[place].values()):
                raise InputError(f"edits[{edit.number}]: the gradient of every neuron is 0: {SILENT}")
            if not kept:
                tell(Noted(f"edits[{edit.number}]: two_stage keeps no neuron: lower its thresholds", True))
            found.append(scores)
        return tuple(found)

    def _first(
        self, editable: Editable, plan: EditPlan, asked: Sequence[Pair], layers: tuple[int, ...], tell: Tell
    ) -> Any:
        from editkit.locate.differences import differences

        with stage(tell, "locate: differences", len(asked)) as advance:
            return differences(editable, plan, asked, layers, self.at, self.reduce, self.batch_size, advance)

    def _second(
        self, editable: Editable, plan: EditPlan, asked: Sequence[Pair], layers: tuple[int, ...], tell: Tell
    ) -> Any:
        from editkit.locate.regions import attributed
        from editkit.locate.repainted import attributed_in_answers

        sizes = (self.regions, self.batch_size)
        count = len({pair.case.question.id for pair in asked})
        if self.at == "answer":
            with stage(tell, "locate: gradients", count * (1 + self.regions)) as advance:
                return attributed_in_answers(editable, plan, asked, layers, self.tokens, *sizes, advance)
        with stage(tell, "locate: gradients", count) as advance:
            return attributed(editable, plan, asked, layers, self.tokens, self.reduce, *sizes, advance)
