"""Where architectures keep W_out inside a decoder layer. A new one is one word here."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import nn

from editkit.errors import ModelError

W_OUT: Final = (
    "mlp.down_proj",
    "mlp.c_proj",
    "mlp.dense_4h_to_h",
    "mlp.fc_out",
    "mlp.fc2",
    "fc2",
)


def _submodule(module: nn.Module, path: str) -> nn.Module | None:
    found: object = module
    for name in path.split("."):
        found = getattr(found, name, None)
    return found if isinstance(found, nn.Module) else None


def w_out_path(layer: nn.Module) -> str | None:
    """The path of W_out inside a decoder layer, None where there is none we know."""
    return next((path for path in W_OUT if _submodule(layer, path) is not None), None)


def decoder_layers(model: nn.Module) -> tuple[str, nn.ModuleList]:
    """The list of decoder layers of the language model, and its name in the model.

    Raises:
        ModelError: no list of layers with a W_out we know.
    """
    get_decoder: Any = getattr(model, "get_decoder", None)
    decoder: nn.Module = (get_decoder() if get_decoder is not None else None) or model
    inside = {id(module) for module in decoder.modules()}
    lists = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and id(module) in inside and len(module) > 0
    ]
    known = [(name, layers) for name, layers in lists if all(w_out_path(layer) for layer in layers)]
    if not known:
        seen = ", ".join(name for name, _ in lists) or "none"
        raise ModelError(
            f"{type(model).__name__}: no decoder layers with an output matrix we know "
            f"(lists of modules seen: {seen})"
        )
    return max(known, key=lambda item: len(item[1]))


def neurons_are_rows(module: nn.Module) -> bool:
    """Whether the weight is stored neuron-major, `[d_mlp, d_model]`: read off the type, never off a shape.

    Raises:
        ModelError: a type whose orientation nobody told us.
    """
    if isinstance(module, nn.Linear):
        return False
    if type(module).__name__ == "Conv1D" and isinstance(getattr(module, "weight", None), torch.Tensor):
        return True
    raise ModelError(f"{type(module).__name__}: an output matrix of a type whose orientation is not known")
