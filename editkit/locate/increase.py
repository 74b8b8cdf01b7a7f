"""What each neuron, added by itself to the stream, does to a token's log-probability."""

from __future__ import annotations

from typing import Any, Final, Literal

import torch
from torch import Tensor

from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.hooks import Spots
from editkit.model.pushes import Leaving
from editkit.model.tail import Tail, learning_tail

TOLERANCE: Final = 1e-2
LOGITS: Final = 2**24  # of all neurons tried at once: 64 MB in float32


@torch.no_grad()
def tail_of(editable: Editable, inputs: dict[str, Any], spots: Spots) -> Tail:
    """Final norm and head, compared with the model itself at some places of a batch.

    Raises:
        ModelError: there is more to it than a chain of modules.
    """
    left: list[Tensor] = []

    def leave(layer: Any, arguments: Any, output: Any) -> None:
        left[:] = [output[0] if isinstance(output, tuple) else output]

    hook = editable.layers[-1].register_forward_hook(leave)
    try:
        with learning_tail(editable) as tail:
            logits = editable.model(**inputs).logits
    finally:
        hook.remove()
    try:
        again = tail(spots.of(left[0], left[0].shape[1]))
        found = spots.of(logits, logits.shape[1])
        alike = torch.allclose(again.float(), found.float(), atol=TOLERANCE, rtol=TOLERANCE)
    except (RuntimeError, TypeError, ValueError):
        alike = False
    if not alike:
        raise ModelError(
            f"{editable.name}: what follows its last layer is no plain final norm and head, which "
            "locate.method log_prob_increase reads the stream with: take contribution"
        )
    return tail


@torch.no_grad()
def increases(
    one: Leaving, rows: Tensor, tokens: Tensor, tail: Tail, candidates: int | Literal["all"]
) -> Tensor:
    """`log p(t | h + o_i w_i) - log p(t | h)` of every neuron at every spot, float32 `[n_spots, d_mlp]`.

    Args:
        rows: W_out, float32 `[d_mlp, d_model]`; `tokens` is t at every spot, int64 `[n_spots]`.
        candidates: how many neurons are tried at a spot, by the length of what they add.
    """
    through = rest_of(one)
    before = one.left - through(one.added[:, None])[:, 0]
    base = _log_p(tail, before[:, None], tokens)[:, 0]
    n_spots, d_mlp = one.activations.shape
    count = d_mlp if candidates == "all" else min(candidates, d_mlp)
    size = one.activations.abs() * rows.norm(dim=1)
    tried = size.topk(count, dim=1).indices.sort(1).values
    found = torch.zeros_like(one.activations)
    width = tail.editable.n_logits
    block = max(1, LOGITS // (width * n_spots))
    for some in tried.split(block, dim=1):
        added = one.activations.gather(1, some)[..., None] * rows[some]
        values = _log_p(tail, before[:, None] + through(added), tokens) - base[:, None]
        found.scatter_(1, some, values)
    return found


def _log_p(tail: Tail, hidden: Tensor, tokens: Tensor) -> Tensor:
    """`[n_spots, k, d_model]` -> log-probability of each spot's token, `[n_spots, k]`."""
    logits = tail(hidden.to(tail.editable.model.dtype)).float()
    index = tokens.to(logits.device)[:, None, None].expand(-1, logits.shape[1], 1)
    return logits.log_softmax(-1).gather(2, index)[..., 0]


def rest_of(one: Leaving) -> Any:
    """What a layer does with the output of W_out at each spot, as a linear map of `[n_spots, k, d_model]`.

    Nearly always nothing, or a gain for each dimension; else the whole matrix is asked for, one direction
    after the other.
    """
    d_model = one.left.shape[1]
    gains = one.pull(torch.ones_like(one.left))
    trial = torch.linspace(-1.0, 2.0, d_model, device=gains.device).sin().expand_as(gains).contiguous()
    if torch.allclose(one.pull(trial), trial * gains, atol=1e-5, rtol=1e-4):
        return lambda added: added * gains[:, None]
    basis = torch.eye(d_model, device=gains.device)
    matrix = torch.stack([one.pull(unit.expand_as(gains).contiguous()) for unit in basis], dim=1)
    return lambda added: added @ matrix.transpose(1, 2)
