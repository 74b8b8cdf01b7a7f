"""Gradient: activation x gradient of the word's logit, the GradCAM form."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from editkit.events import Tell, stage
from editkit.locate.localizer import Scores, Scoring
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from editkit.model.editable import Editable


class Gradient(Scoring):
    """`o[l, i] * dy/do[l, i]`, where y is the logit of the word: one forward and one backward pass.

    Schwettmann et al. 2023 (arXiv 2308.01544) read it at the picture's tokens and take the largest; where
    the layers see no picture token it is read where the word is said. A picture that brings up several words
    costs a backward pass for each.
    """

    name: ClassVar[str] = "gradient"
    backwards: ClassVar[bool] = True

    at: Literal["picture", "answer"] = Field(
        "picture", description="the picture's tokens, or the positions where the source is said"
    )
    reduce: Literal["max", "mean"] = Field("max", description="over the picture's tokens")
    tokens: Literal["all", "first"] = Field("all", description="every sub-token of the source, or its first")
    batch_size: int = Field(16, ge=1, description="cases in a forward and backward pass")

    def scores(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], tell: Tell
    ) -> tuple[Scores, ...]:
        """See `Scoring.scores`: mean over the cases, in logits."""
        from editkit.locate.attribution import attributions
        from editkit.locate.passes import Sums, passes, sayings
        from editkit.locate.places import at_pictures

        said = sayings(editable, plan, self.tokens)
        sums = Sums(editable, editable.matrices(layers), len(plan.edits))
        with stage(tell, "locate", len({one.case.question.id for one in said})) as advance:
            for batch in passes(editable, said, self.batch_size, advance):
                places = at_pictures(editable, batch.fed) if self.at == "picture" else None
                spots = batch.spots if places is None else places.spots
                for turn, key, values in attributions(editable, batch, layers, spots):
                    if places is None:
                        own = batch.by_edit(len(plan.edits)) * (batch.turns == turn)
                        sums.add(key, own, values)
                    else:
                        table = batch.by_row(len(plan.edits), turn)
                        sums.add(key, table, places.reduced(values, self.reduce))
                sums.count(batch.by_edit(len(plan.edits)).sum(1))
        return sums.means()
