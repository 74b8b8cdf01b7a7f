"""What a model does after its last layer: final norm and head, learned from one ordinary forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from editkit.model.editable import Editable


@dataclass
class Tail:
    """The modules that run one after the other behind the last layer."""

    editable: Editable
    modules: list[nn.Module] = field(default_factory=list)

    def __call__(self, hidden: Tensor) -> Tensor:
        """The stream behind the last layer, `[..., d_model]` -> logits `[..., d_vocab]`."""
        for module in self.modules:
            hidden = module(hidden)
        hidden = hidden * self.editable.logit_scale
        cap = self.editable.logit_cap
        return hidden if cap is None else cap * torch.tanh(hidden / cap)


@contextmanager
def learning_tail(editable: Editable) -> Iterator[Tail]:
    """While the model runs, note what follows its last layer.

    That it is a plain chain of modules is a guess: compare what comes out with the model's own logits.
    """
    tail, passed = Tail(editable), list[bool]()
    inside = {id(module) for layer in editable.layers for module in layer.modules()}
    head = editable.head  # one step of the chain, whatever it is made of
    inside |= {id(module) for module in head.modules() if module is not head}

    def leave(layer: nn.Module, arguments: Any, output: Any) -> None:
        passed.append(True)

    def after(module: nn.Module, arguments: Any, output: Any) -> None:
        if passed and (module is head or not any(True for _ in module.children())):
            tail.modules.append(module)

    with ExitStack() as hooks:
        hooks.callback(editable.layers[-1].register_forward_hook(leave).remove)
        for module in editable.model.modules():
            if id(module) not in inside:
                hooks.callback(module.register_forward_hook(after).remove)
        yield tail
