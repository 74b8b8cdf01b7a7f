"""How logits depend on what neurons emit: one forward pass, and one backward pass for each question.

What a neuron emits reaches the model through W_out alone, so the derivative by its activation is its row
times the derivative by W_out's output. That holds for every family, for routed experts too, and needs no copy
of the activations in the graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from editkit.model.editable import Editable
from editkit.model.hooks import Spots, hidden_of


class Leaves:
    """Zeros that were added to the outputs of W_out modules, to be differentiated by."""

    def __init__(self) -> None:
        self.by_module: dict[int, Tensor] = {}
        self.n_tokens: dict[int, int] = {}

    def gradients(self, value: Tensor, spots: Spots, *, again: bool) -> dict[int, Tensor]:
        """The derivative of a scalar by each module's output at the spots, float32 `[n_spots, d_model]`.

        Args:
            again: whether the graph is needed once more.
        """
        names = list(self.by_module)
        leaves = [self.by_module[name] for name in names]
        found = torch.autograd.grad(value, leaves, retain_graph=again, allow_unused=True)
        return {
            name: spots.of(torch.zeros_like(leaf) if grad is None else grad, self.n_tokens[name]).float()
            for name, leaf, grad in zip(names, leaves, found, strict=True)
        }


@contextmanager
def differentiable(editable: Editable, layers: Sequence[int]) -> Iterator[Leaves]:
    """Run the model with gradients, from the W_out outputs of these layers on; yields the leaves it fills."""
    leaves = Leaves()
    with ExitStack() as hooks:
        hooks.enter_context(torch.enable_grad())
        wanted = set(layers)
        modules = {id(place.module): place for place in editable.w_outs if place.layer in wanted}
        for place in modules.values():

            def lift(module: nn.Module, arguments: Any, output: Tensor) -> Tensor:
                leaf = torch.zeros_like(output).requires_grad_()
                leaves.by_module[id(module)] = leaf
                return output + leaf

            def enter(layer: nn.Module, arguments: Any, named: Any, at: int = id(place.module)) -> None:
                hidden = hidden_of(arguments, named)
                leaves.n_tokens[at] = hidden.shape[1]

            layer = editable.layers[place.layer]
            hooks.callback(layer.register_forward_pre_hook(enter, with_kwargs=True).remove)
            hooks.callback(place.module.register_forward_hook(lift).remove)
        yield leaves
