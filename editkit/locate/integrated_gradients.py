"""Integrated gradients: what a neuron adds to the word's probability on its way from silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from editkit.events import Tell, stage
from editkit.locate.localizer import Scores, Scoring
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from editkit.locate.passes import Saying
    from editkit.model.editable import Editable


class IntegratedGradients(Scoring):
    """`o[l, i] * integral over a from 0 to 1 of dP(t | a o) / do[l, i]` (Dai et al. 2022, knowledge neurons).

    P is the probability of the source's token t at the position before it, where the activations of one
    layer are scaled together, as published (`path: layer`), or those of all layers (`joint`, ours, cheaper).
    By either path the attributions sum to P with the activations minus P without them. Ours: the integral
    is a Gauss-Legendre sum, far more exact than the published Riemann sum of as many steps.
    """

    name: ClassVar[str] = "integrated_gradients"
    backwards: ClassVar[bool] = True

    path: Literal["layer", "joint"] = Field("layer", description="scale the layers one by one, or together")
    steps: int = Field(20, ge=1, description="points of the integral; each is a forward and backward pass")
    cases: int = Field(16, ge=1, description="most cases of an edit that are looked at")
    tokens: Literal["all", "first"] = Field("all", description="every sub-token of the source, or its first")
    batch_size: int = Field(32, ge=1, description="tokens asked about in a pass")

    def scores(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], tell: Tell
    ) -> tuple[Scores, ...]:
        """See `Scoring.scores`: mean over the cases, in probability."""
        import torch

        from editkit.locate.integral import integrated
        from editkit.locate.passes import Sums, sayings
        from editkit.model.feed import batches

        said = self._few(sayings(editable, plan, self.tokens))
        asked = [(one, at, token) for one in said for at, token in zip(one.places, one.tokens, strict=True)]
        sums = Sums(editable, editable.matrices(layers), len(plan.edits))
        paths = [tuple(layers)] if self.path == "joint" else [(layer,) for layer in layers]
        with stage(tell, "locate", len(asked)) as advance:
            for chunk in batches([one.case.question for one, _, _ in asked], self.batch_size):
                some = [asked[place] for place in chunk]
                weights = torch.zeros(len(plan.edits), len(some))
                for row, (one, _, _) in enumerate(some):
                    weights[one.edit, row] = 1.0 / len(one.places)
                found = integrated(
                    editable,
                    [one.case.question for one, _, _ in some],
                    [one.case.said_tokens[:at] for one, at, _ in some],
                    torch.tensor([token for _, _, token in some]),
                    paths,
                    self.steps,
                )
                for key, values in found:
                    sums.add(key, weights, values)
                sums.count(weights.sum(1))
                advance(len(some))
        return sums.means()

    def _few(self, said: Sequence[Saying]) -> list[Saying]:
        counts: dict[int, int] = {}
        kept = []
        for one in said:
            counts[one.edit] = counts.get(one.edit, 0) + 1
            if counts[one.edit] <= self.cases:
                kept.append(one)
        return kept
