"""A delta really written into a model's rows, for the time of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from torch import Tensor

from editkit.delta import Delta, LayerDelta
from editkit.errors import ModelError
from editkit.model.editable import Editable, WOut
from editkit.model.layouts import EXPERTS
from editkit.model.weights import held
from editkit.neuron import Neuron


@contextmanager
def changed(editable: Editable, delta: Delta) -> Iterator[None]:
    """The model with a delta in its rows, rounded as a patch rounds them: `round(float32(W) + delta)`.

    Afterwards every weight is bit-identical, whatever happened inside. Offloaded weights are changed in a
    copy that the model runs with from then on. Blocks may be nested.

    Raises:
        UsageError: a layer, expert or neuron the model does not have.
        ModelError: the weights are packed in 8 or 4 bits, the delta's rows have another width, or a sum is no
            number in the weight's dtype; nothing is written then.
    """
    planned = [_planned(editable, part) for part in delta.layers]
    with ExitStack() as undo:
        for rows, neurons, added in planned:
            before = rows[neurons]
            undo.callback(partial(_write, rows, neurons, before))
            _write(rows, neurons, (before.float() + added).to(rows.dtype))
        yield


def _planned(editable: Editable, part: LayerDelta) -> tuple[Tensor, Tensor, Tensor]:
    """What to write to, `[d_mlp, d_model]`; which rows, `[k]`; what is added, float32 `[k, d_model]`."""
    for index in part.neurons:
        editable.check(Neuron(part.layer, index, part.expert))
    place = editable.w_out(part.layer, part.expert)
    if part.rows.shape[1] != place.shape[1]:
        raise ModelError(
            f"{place.name}: the delta's rows have {part.rows.shape[1]} values, the model's {place.shape[1]}"
        )
    rows = _own_rows(place)
    neurons = torch.tensor(part.neurons, dtype=torch.int64, device=rows.device)
    added = torch.from_numpy(part.rows).to(rows.device)
    if not bool((rows[neurons].float() + added).to(rows.dtype).isfinite().all()):
        raise ModelError(f"{place.name}: a row plus its delta is no number in {rows.dtype}")
    return rows, neurons, added


def _own_rows(place: WOut) -> Tensor:
    """The weight neuron-major: a view of what the model runs with."""
    weight = held(place.module) if place.expert is None else held(place.module, EXPERTS)[place.expert]
    return weight.detach() if place.as_rows else weight.detach().T


def _write(rows: Tensor, neurons: Tensor, values: Tensor) -> None:
    rows[neurons] = values
