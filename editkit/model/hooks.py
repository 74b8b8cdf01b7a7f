"""Watch W_out and add to it for the time of a block; nothing is left behind, whatever happens inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor

from editkit.model.editable import Editable

Watch = Callable[[int, Tensor], None]


@contextmanager
def recording(editable: Editable, watch: Watch) -> Iterator[None]:
    """Call `watch(layer, activations)` with the input of every W_out, `[n, n_tokens, d_mlp]`."""
    with ExitStack() as hooks:
        for place in editable.w_outs:

            def look(module: Any, inputs: tuple[Tensor, ...], layer: int = place.layer) -> None:
                watch(layer, inputs[0].detach())

            hooks.callback(place.module.register_forward_pre_hook(look).remove)
        yield


@contextmanager
def adding(editable: Editable, rows: Mapping[int, tuple[Tensor, Tensor]]) -> Iterator[None]:
    """Run as if rows had been added to W_out.

    Args:
        rows: layer -> (neuron indices int64 `[k]`, delta `[k, d_model]`); gradients flow to the delta.
    """
    with ExitStack() as hooks:
        for layer, (neurons, delta) in rows.items():

            def add(
                module: Any,
                inputs: tuple[Tensor, ...],
                output: Tensor,
                neurons: Tensor = neurons,
                delta: Tensor = delta,
            ) -> Tensor:
                return output + inputs[0][..., neurons] @ delta.to(output.dtype)

            hooks.callback(editable.w_out(layer).module.register_forward_hook(add).remove)
        yield
