"""Where architectures keep W_out inside a decoder layer. A new one is one word here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
    "ffn.down_proj",
    "layer.2.DenseReluDense.wo",
    "mlp.shared_expert.down_proj",
    "mlp.shared_experts.down_proj",
)
EXPERTS: Final = (
    "down_proj"  # the name of the fused parameter, `[n_experts, ...]`, in every class of transformers
)
# Parts of a model that read pictures or prompts, and cross-attention beside the decoder: never edited.
ASIDE: Final = frozenset(
    {
        "vision_model",
        "vision_tower",
        "visual",
        "qformer",
        "encoder",
        "audio_tower",
        "perceiver_resampler",
        "gated_cross_attn_layers",
    }
)


@dataclass(frozen=True)
class Matrix:
    """One module of a decoder layer that holds W_out; `experts` counts those fused into it, else None."""

    path: str
    experts: int | None = None


@dataclass(frozen=True)
class Layout:
    """The decoder layers of a language model and where each keeps its W_out.

    Attributes:
        name: of the list of layers in the model, such as `model.layers`.
        matrices: one entry a layer; layers with experts may have several.
        guessed: whether they were found by their shapes alone, and a person has to confirm them.
    """

    name: str
    layers: tuple[nn.Module, ...]
    matrices: tuple[tuple[Matrix, ...], ...]
    guessed: bool = False

    @property
    def template(self) -> str:
        """What confirms a guess: `model.layers.{}.mlp.down_proj`."""
        return f"{self.name}.{{}}.{self.matrices[0][0].path}"


def layout(model: nn.Module, template: str | None = None) -> Layout:
    """Find the decoder layers of the language model and their W_out.

    Args:
        template: where the user says they are, `path.{}.to.module`.

    Raises:
        ModelError: nothing there that looks like decoder layers, or the template names nothing.
    """
    if template is not None:
        return _stated(model, template)
    lists = list(_outermost(model))
    for find, guessed in ((_known, False), (_widest, True)):
        whole = [
            Layout(name, layers, found, guessed)
            for name, layers in lists
            if all(found := tuple(find(layer) for layer in layers))
        ]
        if whole:
            fitting = [one for one in whole if _fits(model, one)] if len(whole) > 1 else whole
            best = max(fitting or whole, key=lambda one: len(one.layers))
            return best if len(fitting) == 1 else replace(best, guessed=True)
    seen = ", ".join(name for name, _ in lists) or "none"
    raise ModelError(
        f"{type(model).__name__}: no decoder layers with an output matrix (lists of modules seen: {seen}); "
        'say where they are with model.w_out: "path.{}.to.module"'
    )


def _fits(model: Any, found: Layout) -> bool:
    """Whether there are as many layers, and they are as wide, as the language model's config says."""
    config = model.config.get_text_config() if hasattr(model, "config") else None
    if len(found.layers) != getattr(config, "num_hidden_layers", None):
        return False
    return all(
        sides(layer.get_submodule(matrix.path))[1] == getattr(config, "hidden_size", None)
        for layer, matrices in zip(found.layers, found.matrices, strict=True)
        for matrix in matrices
        if matrix.experts is None
    )


def _outermost(model: nn.Module) -> Iterator[tuple[str, tuple[nn.Module, ...]]]:
    """Lists of modules of the language model that are in no other list."""
    inside: list[str] = []
    for name, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) and not name.startswith(tuple(inside)):
            inside.append(f"{name}.")
            if not ASIDE & set(name.split(".")):
                yield name, tuple(module)


def _known(layer: nn.Module) -> tuple[Matrix, ...]:
    dense = [Matrix(path) for path in W_OUT if _submodule(layer, path) is not None]
    return (*dense[:1], *_experts(layer))


def _experts(layer: nn.Module) -> list[Matrix]:
    found = []
    for name, module in layer.named_modules():
        weight = getattr(module, EXPERTS, None)
        if isinstance(weight, torch.Tensor) and weight.ndim == 3:
            if not hasattr(module, "has_gate") or getattr(module, "has_post_expert_norm", False):
                raise ModelError(f"{type(module).__name__}: experts that can't be watched one by one")
            found.append(Matrix(name, weight.shape[0]))
    return found


def _widest(layer: nn.Module) -> tuple[Matrix, ...]:
    """The linear map from the widest hidden dimension back to the stream, where there is just one."""
    maps = [(name, module, *sides(module)) for name, module in layer.named_modules() if _is_linear(module)]
    if not maps:
        return ()
    into = {d_in for _, _, d_in, _ in maps}
    backwards = [(d_in, name) for name, _, d_in, d_out in maps if d_out in into and d_in > d_out]
    if not backwards:
        return ()
    width = max(d_in for d_in, _ in backwards)
    best = [name for d_in, name in backwards if d_in == width]
    return (Matrix(best[0]),) if len(best) == 1 else ()


def _stated(model: nn.Module, template: str) -> Layout:
    name, _, path = template.partition(".{}.")
    layers = _submodule(model, name)
    if not path or not isinstance(layers, nn.ModuleList) or not len(layers):
        seen = ", ".join(name for name, _ in _outermost(model)) or "none"
        raise ModelError(f"model.w_out: {template!r} names no list of layers (lists of modules seen: {seen})")
    if ASIDE & set(name.split(".")):
        raise ModelError(
            f"model.w_out: {name} reads pictures or prompts for the language model, and only what says "
            "something can be edited"
        )
    found = tuple(_stated_in(layer, number, path) for number, layer in enumerate(layers))
    return Layout(name, tuple(layers), tuple((one,) for one in found))


def _stated_in(layer: nn.Module, number: int, path: str) -> Matrix:
    module = _submodule(layer, path)
    fused = [one for one in _experts(layer) if one.path == path]
    if fused:
        return fused[0]
    maps = [inner for inner, part in layer.named_modules() if _is_linear(part)]
    if module is None or not _is_linear(module):
        raise ModelError(
            f"model.w_out: layer {number} has no linear map {path!r} (linear maps seen: {', '.join(maps)})"
        )
    d_in, d_out = sides(module)
    if d_in <= d_out:
        raise ModelError(
            f"model.w_out: {path!r} leads from {d_in} to {d_out}: W_out ends in a stream narrower than that"
        )
    return Matrix(path)


def _submodule(module: nn.Module, path: str) -> nn.Module | None:
    found: object = module
    for name in path.split("."):
        found = getattr(found, name, None)
    return found if isinstance(found, nn.Module) else None


def _is_linear(module: Any) -> bool:
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def sides(module: Any) -> tuple[int, int]:
    """`(d_in, d_out)` of a linear map, whatever the storage."""
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    d_in, d_out = module.weight.shape
    return int(d_in), int(d_out)


def neurons_are_rows(module: nn.Module) -> bool:
    """Whether the weight is stored neuron-major, `[d_mlp, d_model]`: read off the type, never off a shape.

    Raises:
        ModelError: a type whose orientation nobody told us.
    """
    if isinstance(module, nn.Linear):
        return False
    if type(module).__name__ == "Conv1D" and isinstance(getattr(module, "weight", None), torch.Tensor):
        return True
    if hasattr(module, EXPERTS):
        return bool(module.is_transposed)
    raise ModelError(f"{type(module).__name__}: an output matrix of a type whose orientation is not known")
