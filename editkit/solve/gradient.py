"""Projected Adam: the default solver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from editkit.errors import SolveError
from editkit.events import Tell, stage
from editkit.neuron import MatrixKey, Neurons
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from torch import Tensor

    from editkit.delta import Delta
    from editkit.model.editable import Editable
    from editkit.solve.descent import Change


class Gradient(BaseModel):
    """Minimise, over the chosen rows only and within the norm bound,

        KL(p' || p) at the positions where another word is wanted      (loss/target)
      + what the wanted token lacks there of its lead over lost ones    (loss/margin)
      + kl_weight * KL(before || p) at all others and on preserve cases (loss/preserve)
      + drift_weight * mean over layers of tr(D C D^T)                   (loss/drift)

    where C is the second moment of the chosen neurons' activations on the preserve cases. After every step
    each row is projected to `||delta_i|| <= max_ratio ||w_i||`, which also holds after rounding. The loss is
    ours (see `solve/lessons.py`); editing these rows is Pan et al. 2024, Algorithm 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    max_ratio: float | None = Field(
        2.0, gt=0, description="longest change of a row, in row norms; null for none"
    )
    kl_weight: float = Field(1.0, ge=0, description="weight of keeping everything else as it was")
    drift_weight: float = Field(
        0.0, ge=0, description="weight of the expected squared change of a layer's output"
    )
    preserve: int = Field(200, ge=0, description="cases whose answers are kept")
    margin: float = Field(
        1.0, ge=0, description="lead the wanted token must have over a lost one, in nats; 0: just be ahead"
    )
    steps: int = Field(120, ge=1, description="most steps of Adam")
    lr: float = Field(0.1, gt=0, description="step size, in root mean squares of the rows")
    stop_at: float = Field(
        0.002, ge=0, description="stop when target and margin have stayed below this, in nats"
    )
    batch_size: int = Field(24, ge=1, description="cases of each sort in a step")

    def solve(self, editable: Editable, plan: EditPlan, neurons: Neurons, *, seed: int, tell: Tell) -> Delta:
        """The change of the chosen rows; all edits of the plan at once.

        Raises:
            SolveError: nothing to solve on, or the loss is no number.
        """
        import torch

        from editkit.delta import Delta, LayerDelta
        from editkit.solve.constraint import fit
        from editkit.solve.descent import descend, second_moments
        from editkit.solve.lessons import edit_lessons, preserve_lessons
        from editkit.solve.unpacked import check_unpacked

        chosen = neurons.by_matrix()
        check_unpacked(editable, chosen)
        if not chosen or not plan.of("edit"):
            raise SolveError("nothing to solve: no neurons, or no edit cases")
        places = {key: torch.tensor(own, device=editable.w_out(*key).device) for key, own in chosen.items()}
        kept = plan.of("preserve")
        sorts = [[case for case in kept if case.near == near] for near in (False, True)]
        with stage(tell, "prepare", len(plan.of("edit")) + len(kept)) as advance:
            edits = edit_lessons(editable, plan, places, self.batch_size, advance)
            groups = [
                preserve_lessons(editable, cases, places, self.batch_size, advance)
                for cases in sorts
                if cases
            ]
        moments = second_moments(editable, [lesson for group in groups for lesson in group], places)
        changes = {key: self._change(editable, key, own, moments[key]) for key, own in places.items()}
        descend(
            edits,
            groups,
            changes,
            steps=self.steps,
            lr=self.lr,
            kl_weight=self.kl_weight,
            drift_weight=self.drift_weight,
            margin=self.margin,
            stop_at=self.stop_at,
            seed=seed,
            tell=tell,
        )
        parts = []
        for (layer, expert), indices in chosen.items():
            change = changes[layer, expert]
            stored = editable.w_out(layer, expert).rows.detach()[change.neurons]
            fitted = fit(change.delta.detach(), stored, change.bound)
            parts.append(LayerDelta(layer, expert, indices, fitted.cpu().numpy()))
        return Delta(tuple(parts))

    def _change(self, editable: Editable, key: MatrixKey, neurons: Tensor, moment: Tensor) -> Change:
        import torch

        from editkit.solve.descent import Change

        rows = editable.w_out(*key).rows.detach()[neurons].float()
        free = torch.full((len(rows),), float("inf"), device=rows.device)
        bound = free if self.max_ratio is None else self.max_ratio * rows.norm(dim=1)
        return Change(neurons, rows, bound, torch.zeros_like(rows, requires_grad=True), moment)
