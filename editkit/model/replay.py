"""Run only what an edit can change: everything below the lowest edited W_out is computed once.

What comes after the last layer (final norm, head) is learned from one ordinary forward pass. Where the lowest
edited layer adds its W_out straight to the residual stream, that layer is not run again either: its output
moves by activations . delta. Both shortcuts are compared with the model itself when they are recorded; a
model that does more in between is run from the layer's beginning, or whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor, nn

from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import Asked, asked, call_inputs
from editkit.model.hooks import Rows, adding, hidden_of, recording
from editkit.model.tail import Tail, learning_tail
from editkit.neuron import MatrixKey
from editkit.plan import Question

TOLERANCE: Final = 1e-3


def _hidden(output: Any) -> Tensor:
    hidden: Tensor = output[0] if isinstance(output, tuple) else output
    return hidden


@dataclass(frozen=True)
class _Call:
    """How the model called one layer."""

    layer: nn.Module
    arguments: tuple[Any, ...]
    named: dict[str, Any]

    def __call__(self, hidden: Tensor) -> Tensor:
        if self.arguments:
            return _hidden(self.layer(hidden, *self.arguments[1:], **self.named))
        return _hidden(self.layer(**{**self.named, "hidden_states": hidden}))


@dataclass(frozen=True)
class Replay:
    """One batch, ready to be run again and again with other rows added to W_out.

    Attributes:
        start: the lowest layer that may be edited; `hidden` enters it, `[n, n_tokens, d_model]`.
        left: what leaves that layer unedited, and `activations` of its chosen neurons, W_out ->
            `[n, n_tokens, k]` (None where its W_out does not add straight to the residual stream).
        where: the asked positions; `logits()` returns one row for each, `[n_asked, d_vocab]`.
        last: what leaves the last layer of the unedited model there (its logits, where the model is run
            whole): log-probabilities are made from it when asked for; a large vocabulary's would not fit.
        whole: the model's inputs, where it has to be run whole.
    """

    editable: Editable
    start: int
    hidden: Tensor
    calls: tuple[_Call, ...]
    tail: Tail
    where: Asked
    last: Tensor
    left: Tensor | None = None
    activations: Mapping[MatrixKey, Tensor] | None = None
    whole: dict[str, Any] | None = None

    @torch.no_grad()
    def before(self) -> Tensor:
        """The unedited model's log-probabilities at the asked positions, float32 `[n_asked, d_vocab]`."""
        return (self.last if self.whole is not None else self.tail(self.last)).float().log_softmax(-1)

    def logits(self, rows: Rows, *, shortcut: bool = True) -> Tensor:
        """Logits at the asked positions with `rows` (W_out -> neurons, delta) added; deltas get gradients.

        Without `shortcut` every layer from `start` on really runs, for those who watch it.
        """
        if self.whole is not None:
            with adding(self.editable, rows):
                return self.onwards(self.start, self.hidden)
        if shortcut and self.left is not None and self.activations is not None:
            return self.tail(self._from_left(self.left, self.activations, rows))
        with adding(self.editable, rows):
            return self.onwards(self.start, self.hidden)

    @torch.no_grad()
    def entering(self) -> list[Tensor]:
        """What enters every layer from `start` on, `[n, n_tokens, d_model]` each."""
        found = [self.hidden]
        for call in self.calls[:-1]:
            found.append(call(found[-1]))
        return found

    def onwards(self, layer: int, hidden: Tensor) -> Tensor:
        """Logits at the asked positions from what enters a layer, for those who watch or change it there."""
        if self.whole is not None:
            logits: Tensor = self.editable.model(**self.whole).logits[self.where.rows, self.where.columns]
            return logits
        for call in self.calls[layer - self.start :]:
            hidden = call(hidden)
        return self.tail(hidden[self.where.rows, self.where.columns])

    def _from_left(self, left: Tensor, activations: Mapping[MatrixKey, Tensor], rows: Rows) -> Tensor:
        alone = len(self.calls) == 1  # nothing above mixes positions any more
        if alone:
            left = left[self.where.rows, self.where.columns]
        for key, emitted in activations.items():
            if key in rows:
                some = emitted[self.where.rows, self.where.columns] if alone else emitted
                left = left + some @ rows[key][1].to(some.dtype)
        if alone:
            return left
        with adding(self.editable, {key: change for key, change in rows.items() if key[0] != self.start}):
            for call in self.calls[1:]:
                left = call(left)
        return left[self.where.rows, self.where.columns]


@torch.no_grad()
def replay(
    editable: Editable,
    questions: Sequence[Question],
    said: Sequence[Sequence[int]],
    neurons: Mapping[MatrixKey, Tensor],
) -> Replay:
    """Record one batch of questions that can be fed together.

    Args:
        neurons: W_out -> the neurons that may change, int64 `[k]`.
    """
    start = min(layer for layer, _ in neurons)
    fed = feed(editable, questions, said)
    inputs = call_inputs(editable, fed)
    calls: list[_Call] = []
    passing: list[Tensor] = []
    emitted: dict[MatrixKey, Tensor] = {}
    layers = editable.layers

    def enter(layer: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        if len(passing) < 2:
            passing.append(hidden_of(arguments, named))
        kept = {name: value for name, value in named.items() if name != "hidden_states"}
        calls.append(_Call(layer, (None, *arguments[1:]) if arguments else (), kept))

    def leave(layer: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        if len(passing) == 1 and len(calls) == len(layers) - start:
            passing.append(_hidden(output))

    def watch(key: MatrixKey, activations: Tensor) -> None:
        emitted[key] = activations[..., neurons[key]].clone()

    with ExitStack() as hooks:
        for layer in layers[start:]:
            hooks.callback(layer.register_forward_pre_hook(enter, with_kwargs=True).remove)
        hooks.callback(layers[-1].register_forward_hook(leave).remove)
        tail = hooks.enter_context(learning_tail(editable))
        hooks.enter_context(recording(editable, watch, [key for key in neurons if key[0] == start]))
        logits = editable.model(**inputs).logits
    where = asked(fed, logits.device)
    expected = logits[where.rows, where.columns]
    found = Replay(editable, start, passing[0], tuple(calls), tail, where, expected)
    if not _agrees(lambda: found.logits({}), lambda: expected):
        return replace(found, calls=(), whole=inputs)
    found = replace(found, left=passing[1], activations=emitted)
    found = replace(found, last=found._from_left(passing[1], emitted, {}))
    trial = {
        key: (own, editable.w_out(*key).rows[own].flip(0) * 0.5)
        for key, own in neurons.items()
        if key[0] == start
    }
    if not _agrees(lambda: found.logits(trial), lambda: found.logits(trial, shortcut=False)):
        found = replace(found, left=None, activations=None)
    return found


def _agrees(one: Any, other: Any) -> bool:
    try:
        return torch.allclose(one().float(), other().float(), atol=TOLERANCE, rtol=TOLERANCE)
    except (RuntimeError, TypeError, ValueError):  # a model that needs more than its layers and its head
        return False
