"""Neurons by chance: the baseline, and the matched control that stands beside every score."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import Field

from editkit.errors import SolveError
from editkit.events import Noted, Tell, nobody
from editkit.locate.localizer import Scores, Scoring
from editkit.neuron import Neuron, Neurons
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from editkit.model.editable import Editable

TOLERANCE: Final = 0.10


class Random(Scoring):
    """Uniform over layers x d_mlp, from a seed."""

    name: ClassVar[str] = "random"

    seed: int = Field(0, ge=0, description="which neurons")

    def scores(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], tell: Tell
    ) -> tuple[Scores, ...]:
        """See `Scoring.scores`: uniform in [0, 1), another drawing for each edit."""
        import torch

        found = []
        for edit in plan.edits:
            generator = torch.Generator().manual_seed(self.seed * 1_000 + edit.number)
            found.append(
                {
                    key: torch.rand(editable.w_out(*key).shape[0], generator=generator)
                    for key in editable.matrices(layers)
                }
            )
        return tuple(found)


def matched(editable: Editable, neurons: Neurons, seed: int, tell: Tell = nobody) -> Neurons:
    """As many random neurons of the same layers, each with a W_out row norm within 10 % of one it stands for.

    An outlier that no other neuron is so near to gets the nearest one, and `tell` hears of it.

    Raises:
        SolveError: a layer has too few other neurons.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    chosen: list[Neuron] = []
    strays: list[str] = []
    for (layer, expert), indices in neurons.by_matrix().items():
        norms = editable.row_norms(layer, expert).cpu()
        free = torch.ones(len(norms), dtype=torch.bool)
        free[list(indices)] = False
        if len(indices) > int(free.sum()):
            raise SolveError(
                f"no random control: {len(indices)} of the {len(norms)} neurons of layer {layer}"
                f"{'' if expert is None else f', expert {expert},'} are edited; lower locate.top"
            )
        for index in indices:
            apart = (norms - norms[index]).abs()
            candidates = ((apart <= TOLERANCE * norms[index]) & free).nonzero().flatten()
            if not len(candidates):
                strays.append(str(Neuron(layer, index, expert)))
                candidates = apart.masked_fill(~free, torch.inf).argmin()[None]
            pick = int(candidates[int(torch.randint(len(candidates), (1,), generator=generator))])
            free[pick] = False
            chosen.append(Neuron(layer, pick, expert))
    if strays:
        who = f"{', '.join(strays[:3])}{' and others' if len(strays) > 3 else ''}"
        told = f"no unused neuron has a row norm within 10 % of {who}: the random control takes the nearest"
        tell(Noted(told, warning=True))
    return Neurons(tuple(chosen), (0.0,) * len(chosen), "random")
