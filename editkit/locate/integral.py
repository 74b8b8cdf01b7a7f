"""The integral of a word's probability along a path of activations, for one batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from editkit.model.editable import Editable
from editkit.model.hooks import Spots, hidden_of, recording
from editkit.model.replay import Replay, replay
from editkit.neuron import MatrixKey
from editkit.plan import Question


def integrated(
    editable: Editable,
    questions: Sequence[Question],
    said: Sequence[Sequence[int]],
    tokens: Tensor,
    paths: Sequence[tuple[int, ...]],
    steps: int,
) -> Iterator[tuple[MatrixKey, Tensor]]:
    """`o * integral of dP/do` of every neuron, at the position behind what was said, `[n, d_mlp]` a W_out.

    Args:
        tokens: the next token that is asked about, int64 `[n]`.
        paths: layers whose activations at that position are scaled together, from 0 to 1.
    """
    layers = sorted({layer for path in paths for layer in path})
    nothing = {key: torch.zeros(0, dtype=torch.long) for key in editable.matrices(layers)}
    record = replay(editable, questions, said, nothing)
    last = torch.tensor(record.where.lengths).cumsum(0) - 1
    spots = Spots(record.where.rows[last.to(record.where.rows.device)].cpu(), _columns(record, last))
    entering = record.entering()
    emitted: dict[MatrixKey, Tensor] = {}
    whole: dict[int, Tensor] = {}
    with (
        torch.no_grad(),
        recording(editable, emitted.__setitem__, editable.matrices(layers), spots),
        scaled(editable, layers, spots, {}, whole),
    ):
        record.onwards(record.start, record.hidden)
    nodes, shares = np.polynomial.legendre.leggauss(steps)
    for path in paths:
        keys = [key for key in editable.matrices(path) if key in emitted]
        pushed = _pushed(editable, {key: emitted[key] for key in keys})
        total = {at: torch.zeros_like(values) for at, values in pushed.items()}
        start = min(path)
        for node, share in zip((nodes + 1) / 2, shares / 2, strict=True):
            silenced = {at: whole[at] - (1.0 - float(node)) * own.to(whole[at]) for at, own in pushed.items()}
            leaves: dict[int, Tensor] = {}
            with torch.enable_grad(), scaled(editable, path, spots, silenced, leaves):
                entered = record.hidden if record.whole else entering[start - record.start]
                logits = record.onwards(start, entered)[last.to(record.where.rows.device)]
                chosen = logits.float().softmax(-1).gather(1, tokens.to(logits.device)[:, None])
                grads = torch.autograd.grad(chosen.sum(), [leaves[at] for at in pushed])
            for at, grad in zip(pushed, grads, strict=True):
                total[at] += float(share) * grad.float()
        for key in keys:
            place = editable.w_out(*key)
            yield key, emitted[key].float() * (total[id(place.module)] @ place.rows.detach().float().T)


def _columns(record: Replay, last: Tensor) -> Tensor:
    return record.where.columns[last.to(record.where.columns.device)].cpu()


def _pushed(editable: Editable, emitted: dict[MatrixKey, Tensor]) -> dict[int, Tensor]:
    """What the neurons of each W_out module put out there, without its bias, float32 `[n, d_model]`."""
    found: dict[int, Tensor] = {}
    for key, activations in emitted.items():
        place = editable.w_out(*key)
        own = activations.float() @ place.rows.detach().float()
        found[id(place.module)] = found[id(place.module)] + own if id(place.module) in found else own
    return found


@contextmanager
def scaled(
    editable: Editable,
    layers: Sequence[int],
    spots: Spots,
    wanted: Mapping[int, Tensor],
    leaves: dict[int, Tensor],
) -> Iterator[None]:
    """Run with other outputs of some W_out modules at the spots.

    Args:
        wanted: module -> its output, `[n_spots, d_model]`; others stay as they are.
        leaves: gets the outputs of all W_out modules of these layers there, to be differentiated by.
    """
    with ExitStack() as hooks:
        for layer in layers:
            shape: list[int] = []

            def enter(module: Any, arguments: Any, named: Any, shape: list[int] = shape) -> None:
                shape[:] = hidden_of(arguments, named).shape[:2]

            hooks.callback(editable.layers[layer].register_forward_pre_hook(enter, with_kwargs=True).remove)
            for module in {id(w.module): w.module for w in editable.w_outs if w.layer == layer}.values():

                def change(
                    module: nn.Module, arguments: Any, output: Tensor, shape: list[int] = shape
                ) -> Tensor:
                    flat = output.detach().flatten(0, -2)
                    at = spots.flat(shape[1], flat.device)
                    leaf = wanted.get(id(module), flat[at]).clone()
                    leaves[id(module)] = leaf.requires_grad_(torch.is_grad_enabled())
                    return flat.index_put((at,), leaf).view_as(output)

                hooks.callback(module.register_forward_hook(change).remove)
        yield
