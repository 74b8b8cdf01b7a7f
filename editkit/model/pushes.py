"""What each neuron adds to the logits of chosen tokens, through all that stands between W_out and the stream.

In most models a layer adds W_out's output to the residual stream as it is. Others normalise it first (Gemma 2
and 3, OLMo 2), multiply it (Granite), gate it (Mllama), scale the whole stream afterwards (Gemma 4) or
normalise the sum (OPT-350m). Whatever it is, it acts on every position by itself and, with the scale of a
norm frozen, is linear in the output of W_out. So the direction of a token is carried back through the rest of
the layer by automatic differentiation of that rest alone: exact, for families nobody has seen too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from editkit.model.editable import Editable, WOut
from editkit.model.hooks import Spots, recording
from editkit.neuron import MatrixKey

Seen = Callable[[MatrixKey, Tensor, Tensor], None]


@dataclass
class _Layer:
    """One layer while it runs: its activations, and the outputs of its W_out modules."""

    n_tokens: int = 0
    activations: dict[MatrixKey, Tensor] = field(default_factory=dict)
    leaves: dict[int, Tensor] = field(default_factory=dict)


@contextmanager
def pushing(
    editable: Editable, layers: Sequence[int], spots: Spots, directions: Tensor, seen: Seen
) -> Iterator[None]:
    """While the model runs, call `seen(matrix, activations, pulls)` for every W_out of these layers.

    What neuron i adds at spot s to the logit whose direction is given there, before the final norm, is
    `activations[s, i] * (W_out[i] . pulls[s])`.

    Args:
        directions: float32 `[n_spots, d_model]`, see `Editable.directions`.
        seen: gets activations `[n_spots, d_mlp]` and pulls `[n_spots, d_model]`, float32, once a layer ran.
    """
    with ExitStack() as hooks:
        hooks.enter_context(torch.enable_grad())
        states: dict[int, _Layer] = {}
        for number in layers:
            places = [place for place in editable.w_outs if place.layer == number]
            state = states[number] = _Layer()
            _watch_layer(hooks, editable.layers[number], places, state, spots, directions, seen)

        def keep(matrix: MatrixKey, activations: Tensor) -> None:
            states[matrix[0]].activations[matrix] = activations

        hooks.enter_context(recording(editable, keep, editable.matrices(layers), spots))
        yield


def _watch_layer(
    hooks: ExitStack,
    layer: nn.Module,
    places: Sequence[WOut],
    state: _Layer,
    spots: Spots,
    directions: Tensor,
    seen: Seen,
) -> None:
    def cut(module: nn.Module, arguments: Any, output: Tensor) -> Tensor:
        """From here on the layer is differentiated; a clone, since some layers add to it in place."""
        leaf = output.detach().requires_grad_()
        state.leaves[id(module)] = leaf
        return leaf.clone()

    def leave(module: nn.Module, arguments: Any, output: Any) -> Any:
        hidden = output[0] if isinstance(output, tuple) else output
        n_tokens = hidden.shape[1]
        there = spots.of(hidden, n_tokens).float()
        leaves = dict(state.leaves)
        grads = torch.autograd.grad((there * directions.to(there.device)).sum(), list(leaves.values()))
        pulls = {at: spots.of(grad, n_tokens).float() for at, grad in zip(leaves, grads, strict=True)}
        for place in places:
            activations = state.activations.pop(place.key, None)
            if activations is not None:
                seen(place.key, activations.float(), pulls[id(place.module)])
        state.leaves.clear()
        detached = hidden.detach()
        return (detached, *output[1:]) if isinstance(output, tuple) else detached

    for module in {id(place.module): place.module for place in places}.values():
        hooks.callback(module.register_forward_hook(cut).remove)
    for module in layer.modules():
        if "Norm" in type(module).__name__:
            hooks.callback(module.register_forward_hook(_frozen).remove)
    hooks.callback(layer.register_forward_hook(leave).remove)


def _frozen(module: nn.Module, arguments: tuple[Any, ...], output: Tensor) -> Tensor | None:
    """The same values, as a linear function of the input: what the norm divides by is a constant."""
    entering: Tensor = arguments[0]
    if not entering.requires_grad:
        return None
    values, offset = entering.float(), 0.0
    shifted, plain = module.forward(entering.detach() + 1.0), output.detach()
    if float((shifted - plain).abs().mean()) < 0.1 * float(plain.abs().mean()):  # it takes the mean away
        values = values - values.mean(-1, keepdim=True)
        bias = getattr(module, "bias", None)
        offset = 0.0 if bias is None else bias.float()
    ratio = ((output.float() - offset) / values).nan_to_num(0.0, 0.0, 0.0).detach()
    linear = values * ratio
    return output.detach() + (linear - linear.detach()).to(output.dtype)
