"""Activation: the neurons that emit most when the model says the word; a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from editkit.events import Tell, stage
from editkit.locate.localizer import Scores, Scoring
from editkit.neuron import MatrixKey
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from torch import Tensor

    from editkit.model.editable import Editable


class Activation(Scoring):
    """The plain activation `o[l, i]`, whatever the neuron writes: one forward pass.

    Read at the position whose next token is the source's, averaged over its sub-tokens and the cases.
    """

    name: ClassVar[str] = "activation"

    tokens: Literal["all", "first"] = Field("all", description="every sub-token of the source, or its first")
    batch_size: int = Field(32, ge=1, description="cases in a forward pass")

    def scores(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], tell: Tell
    ) -> tuple[Scores, ...]:
        """See `Scoring.scores`: mean activation."""
        import torch

        from editkit.locate.passes import Sums, passes, sayings
        from editkit.model.forward import call_inputs
        from editkit.model.hooks import recording

        said = sayings(editable, plan, self.tokens)
        matrices = editable.matrices(layers)
        sums = Sums(editable, matrices, len(plan.edits))
        with stage(tell, "locate", len({one.case.question.id for one in said})) as advance:
            for batch in passes(editable, said, self.batch_size, advance):
                table = batch.by_edit(len(plan.edits))

                def add(key: MatrixKey, activations: Tensor, table: Tensor = table) -> None:
                    sums.add(key, table, activations)

                with torch.no_grad(), recording(editable, add, matrices, batch.spots):
                    editable.model(**call_inputs(editable, batch.fed))
                sums.count(table.sum(1))
        return sums.means()
