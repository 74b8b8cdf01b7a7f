"""Activation x gradient at chosen places, for every source that a batch says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from editkit.locate.passes import Batch
from editkit.model.editable import Editable
from editkit.model.forward import call_inputs
from editkit.model.gradients import differentiable
from editkit.model.hooks import Spots, recording
from editkit.neuron import MatrixKey


def attributions(
    editable: Editable, batch: Batch, layers: Sequence[int], spots: Spots
) -> Iterator[tuple[int, MatrixKey, Tensor]]:
    """For every turn and W_out: `o * dy/do` at the spots, float32 `[n_spots, d_mlp]`.

    y is the mean logit of the sub-tokens of a row's edit in that turn, at their own positions; rows do not
    see each other.
    """
    emitted: dict[MatrixKey, Tensor] = {}
    with (
        differentiable(editable, layers) as leaves,
        recording(editable, emitted.__setitem__, editable.matrices(layers), spots),
    ):
        logits = editable.model(**call_inputs(editable, batch.fed)).logits
        where = logits.device
        said = logits[batch.spots.rows.to(where), batch.spots.columns.to(where), batch.tokens.to(where)]
        last = int(batch.turns.max())
        for turn in range(last + 1):
            own = (batch.weights * (batch.turns == turn)).to(where)
            found = leaves.gradients((said.float() * own).sum(), spots, again=turn < last)
            for key, activations in emitted.items():
                place = editable.w_out(*key)
                with torch.no_grad():
                    slopes = found[id(place.module)] @ place.rows.detach().float().T
                    yield turn, key, activations.float() * slopes
