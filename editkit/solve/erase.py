"""Scale the chosen rows: the baseline by which suppression is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from editkit.errors import SolveError
from editkit.events import Tell, stage
from editkit.neuron import Neurons
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from editkit.delta import Delta
    from editkit.model.editable import Editable


class Erase(BaseModel):
    """Multiply every chosen row by a factor: 0 ablates the neuron, 1 leaves it as it is.

    Nothing is learned, so no edit cases are needed. How suppression is applied is not published for two-stage
    filtering (Sato and Takagi 2025, arXiv 2503.22941); setting neurons to zero is what most studies do, and
    doing it to the output rows rather than the activations (ours) makes it a patch like any other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    factor: float = Field(
        0.0, allow_inf_nan=False, description="what the rows are multiplied with; 0 ablates the neurons"
    )

    def solve(self, editable: Editable, plan: EditPlan, neurons: Neurons, *, seed: int, tell: Tell) -> Delta:
        """`(factor - 1) * W_out[l][i]` for every chosen neuron; the same whatever the plan and the seed.

        Raises:
            SolveError: no neurons, or packed rows.
            UsageError: a neuron the model does not have.
        """
        from editkit.delta import Delta, LayerDelta
        from editkit.solve.unpacked import check_unpacked

        chosen = neurons.by_matrix()
        if not chosen:
            raise SolveError("nothing to erase: no neurons")
        for neuron in neurons:
            editable.check(neuron)
        check_unpacked(editable, chosen)
        parts = []
        with stage(tell, "solve", len(chosen)) as advance:
            for (layer, expert), indices in chosen.items():
                rows = editable.w_out(layer, expert).rows.detach()[list(indices)].float()
                parts.append(LayerDelta(layer, expert, indices, ((self.factor - 1.0) * rows).cpu().numpy()))
                advance(1)
        return Delta(tuple(parts))
