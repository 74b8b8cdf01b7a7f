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
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from editkit.model.editable import Editable, WOut
from editkit.model.hooks import Spots, recording
from editkit.neuron import MatrixKey

Seen = Callable[[MatrixKey, Tensor, Tensor], None]


@dataclass
class Leaving:
    """One W_out at the spots, at the moment its layer ends.

    Attributes:
        key: which W_out; `activations` of its neurons, float32 `[n_spots, d_mlp]`.
        added: what its module put out, float32 `[n_spots, d_model]`.
        left: the stream that leaves the layer, float32 `[n_spots, d_model]`.
        pull: directions in the stream that leaves the layer -> the same at the module's output, both
            float32 `[n_spots, d_model]`. To be called before the layer is left.
    """

    key: MatrixKey
    activations: Tensor
    added: Tensor
    left: Tensor
    pull: Callable[[Tensor], Tensor]


@dataclass
class _Layer:
    """One layer while it runs: its activations, and the outputs of its W_out modules."""

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

    def tell(leaving: Leaving) -> None:
        seen(leaving.key, leaving.activations, leaving.pull(directions))

    with leaving(editable, layers, spots, tell):
        yield


@contextmanager
def leaving(
    editable: Editable, layers: Sequence[int], spots: Spots, seen: Callable[[Leaving], None]
) -> Iterator[None]:
    """While the model runs, call `seen` for every W_out of these layers, once its layer ran."""
    with ExitStack() as hooks:
        hooks.enter_context(torch.enable_grad())
        states: dict[int, _Layer] = {}
        for number in layers:
            places = [place for place in editable.w_outs if place.layer == number]
            state = states[number] = _Layer()
            _watch_layer(hooks, editable.layers[number], places, state, spots, seen)

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
    seen: Callable[[Leaving], None],
) -> None:
    def cut(module: nn.Module, arguments: Any, output: Tensor) -> Tensor:
        """From here on the layer is differentiated; a clone, since some layers add to it in place."""
        leaf = output.detach().requires_grad_()
        state.leaves[id(module)] = leaf
        return leaf.clone()

    def leave(module: nn.Module, arguments: Any, output: Any) -> Any:
        hidden = output[0] if isinstance(output, tuple) else output
        there = spots.of(hidden, hidden.shape[1]).float()
        pulled: dict[int, tuple[Tensor, dict[int, Tensor]]] = {}

        def pull(directions: Tensor, at: int) -> Tensor:
            """All modules at once, and only once for the experts that share one."""
            if id(directions) not in pulled:
                with torch.enable_grad():
                    value = (there * directions.to(there.device)).sum()
                grads = torch.autograd.grad(value, list(state.leaves.values()), retain_graph=True)
                own = zip(state.leaves, grads, strict=True)
                pulled.clear()
                pulled[id(directions)] = (
                    directions,
                    {name: spots.of(grad, hidden.shape[1]).float() for name, grad in own},
                )
            return pulled[id(directions)][1][at]

        for place in places:
            activations = state.activations.pop(place.key, None)
            if activations is not None:
                at = id(place.module)
                added = spots.of(state.leaves[at], hidden.shape[1]).detach().float()
                seen(Leaving(place.key, activations.float(), added, there.detach(), partial(pull, at=at)))
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
