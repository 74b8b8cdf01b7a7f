"""The weight of a module as numbers, wherever it is kept: in memory, packed in 8 or 4 bits, or on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from editkit.errors import ModelError


def is_packed(module: nn.Module) -> bool:
    """Whether its weight is quantised: rows can be read, but not written."""
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and not weight.is_floating_point()


def weight_of(module: nn.Module, name: str = "weight") -> Tensor:
    """The parameter itself, or what stands for it: unpacked, or read from where accelerate has put it.

    Only the parameter itself and what `held` returns are views that can be written to.
    """
    weight: Tensor = module.get_parameter(name)
    if weight.is_meta:
        return _stored(module, name)
    if name == "weight" and is_packed(module):
        return _unpacked(module)
    return weight


def held(module: nn.Module, name: str = "weight") -> Tensor:
    """The parameter, or a copy of an offloaded one that is used in its place from now on.

    Raises:
        ModelError: the weight is packed, so there are no rows to write to.
    """
    if is_packed(module):
        raise ModelError(
            "the weights are packed in 8 or 4 bits: a patch is written to unpacked ones (no model.load_in)"
        )
    weight: Tensor = module.get_parameter(name)
    if not weight.is_meta:
        return weight
    hook: Any = module._hf_hook
    if not isinstance(hook.weights_map, _Overlay):
        hook.weights_map = _Overlay(hook.weights_map)
    if name not in hook.weights_map.own:
        hook.weights_map.own[name] = _stored(module, name).clone()
    kept: Tensor = hook.weights_map.own[name]
    return kept


class _Overlay(Mapping[str, Tensor]):
    """accelerate's store of offloaded weights, with some of them replaced."""

    def __init__(self, store: Mapping[str, Tensor]) -> None:
        self.store = store
        self.own: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        return self.own[name] if name in self.own else self.store[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.store)

    def __len__(self) -> int:
        return len(self.store)


def _stored(module: nn.Module, name: str) -> Tensor:
    hook: Any = getattr(module, "_hf_hook", None)
    if getattr(hook, "weights_map", None) is None:
        raise ModelError("the weights are not loaded: only shapes can be asked for")
    return torch.as_tensor(hook.weights_map[name])


@torch.no_grad()
def _unpacked(module: Any) -> Tensor:
    from transformers.integrations.bitsandbytes import dequantize_bnb_weight

    if getattr(getattr(module.weight, "quant_state", None), "packing_format_for_cpu", False):
        # Run on a processor, 4-bit weights lie in an order that only their product knows: past hooks, ask it.
        unit = torch.eye(module.in_features, dtype=module.weight.quant_state.dtype)
        bias = module.bias if module.bias is not None else 0.0
        product: Tensor = (module.forward(unit) - bias).T
        return product
    found: Tensor = dequantize_bnb_weight(module.weight, getattr(module, "state", None))
    return found
