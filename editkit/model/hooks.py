"""Watch W_out and add to it for the time of a block; nothing is left behind, whatever happens inside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from editkit.model.editable import Editable, WOut
from editkit.model.experts import emitted
from editkit.neuron import MatrixKey

Watch = Callable[[MatrixKey, Tensor], None]
Rows = Mapping[MatrixKey, tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Spots:
    """Places in a batch: `rows` and `columns` of `[n, n_tokens]`, int64 `[n_spots]` each."""

    rows: Tensor
    columns: Tensor

    def of(self, values: Tensor, n_tokens: int) -> Tensor:
        """`[n, n_tokens, d]`, or the same flattened, -> `[n_spots, d]`."""
        return values.flatten(0, -2)[self.flat(n_tokens, values.device)]

    def flat(self, n_tokens: int, device: torch.device) -> Tensor:
        return (self.rows * n_tokens + self.columns).to(device)


def hidden_of(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Tensor:
    """The hidden states a decoder layer is called with."""
    found: Tensor = arguments[0] if arguments else named["hidden_states"]
    return found


@contextmanager
def recording(
    editable: Editable,
    watch: Watch,
    matrices: Collection[MatrixKey] | None = None,
    spots: Spots | None = None,
    *,
    attached: bool = False,
) -> Iterator[None]:
    """Call `watch(matrix, activations)` with what enters W_out, `[n, n_tokens, d_mlp]`.

    Of a routed expert these are its activations times the weight it was chosen with; an expert that no
    token was sent to is not watched.

    Args:
        matrices: the ones asked for; all of them without it.
        spots: the places asked for; activations are `[n_spots, d_mlp]` then.
        attached: whether gradients flow back from what is watched.
    """
    with ExitStack() as hooks:
        for layer, places in _by_layer(editable, matrices).items():
            shape: list[torch.Size] = []

            def enter(module: Any, arguments: Any, named: Any, shape: list[torch.Size] = shape) -> None:
                shape[:] = [hidden_of(arguments, named).shape]

            hooks.callback(editable.layers[layer].register_forward_pre_hook(enter, with_kwargs=True).remove)
            for module, own in _by_module(places):

                def look(
                    module: nn.Module,
                    arguments: Any,
                    named: Any,
                    own: list[WOut] = own,
                    shape: list[torch.Size] = shape,
                ) -> None:
                    for place in own:
                        found = _activations(place, arguments, named, shape[0], spots)
                        if found is not None:
                            watch(place.key, found if attached else found.detach())

                hooks.callback(module.register_forward_pre_hook(look, with_kwargs=True).remove)
        yield


def _activations(
    place: WOut, arguments: Any, named: Any, shape: torch.Size, spots: Spots | None
) -> Tensor | None:
    n, n_tokens = shape[:2]
    if place.expert is not None:
        flat = None if spots is None else spots.flat(n_tokens, hidden_of(arguments, named).device)
        found = emitted(place.module, arguments, named, place.expert, flat)
        return found if found is None or spots is not None else found.unflatten(0, (n, n_tokens))
    entering: Tensor = arguments[0]
    return entering.reshape(n, n_tokens, -1) if spots is None else spots.of(entering, n_tokens)


@contextmanager
def adding(editable: Editable, rows: Rows) -> Iterator[None]:
    """Run as if rows had been added to W_out.

    Args:
        rows: matrix -> (neuron indices int64 `[k]`, delta `[k, d_model]`); gradients flow to the delta.
    """
    with ExitStack() as hooks:
        for module, own in _by_module([editable.w_out(*key) for key in rows]):

            def add(
                module: nn.Module, arguments: Any, named: Any, output: Tensor, own: list[WOut] = own
            ) -> Tensor:
                for place in own:
                    output = output + _added(place, arguments, named, output, *rows[place.key])
                return output

            hooks.callback(module.register_forward_hook(add, with_kwargs=True).remove)
        yield


def _added(
    place: WOut, arguments: Any, named: Any, output: Tensor, neurons: Tensor, delta: Tensor
) -> Tensor | float:
    if place.expert is None:
        entering: Tensor = arguments[0]
        return entering[..., neurons] @ delta.to(output.dtype)
    found = emitted(place.module, arguments, named, place.expert)
    return 0.0 if found is None else (found[:, neurons] @ delta.to(output.dtype)).reshape(output.shape)


def _by_layer(editable: Editable, matrices: Collection[MatrixKey] | None) -> dict[int, list[WOut]]:
    found: dict[int, list[WOut]] = {}
    for place in editable.w_outs if matrices is None else [editable.w_out(*key) for key in matrices]:
        found.setdefault(place.layer, []).append(place)
    return found


def _by_module(places: Collection[WOut]) -> list[tuple[nn.Module, list[WOut]]]:
    """Experts share one module, which is hooked once."""
    found: dict[int, tuple[nn.Module, list[WOut]]] = {}
    for place in places:
        found.setdefault(id(place.module), (place.module, []))[1].append(place)
    return list(found.values())
