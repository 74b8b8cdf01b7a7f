"""Where a W_out of the running model is in the checkpoint's files: its name there, and how it is stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from editkit.checkpoint import Orientation
from editkit.checkpoint.tensorfile import TensorInfo
from editkit.errors import ModelError
from editkit.model.editable import WOut
from editkit.neuron import MatrixKey

D_MLP, D_MODEL = 3, 2  # of the tensors that show how a name and a shape are converted
BY_COLUMNS: Final = (D_MODEL, D_MLP)


@dataclass(frozen=True)
class FilePlace:
    """A tensor of the files; `fused` where it holds all experts of a layer."""

    tensor: str
    orientation: Orientation
    fused: bool = False


def file_places(
    model: Any, name: str, places: Sequence[WOut], stored: Mapping[str, TensorInfo]
) -> dict[MatrixKey, FilePlace]:
    """Where each W_out is among the tensors `stored` in the checkpoint.

    transformers itself knows how it renames, splits and turns on saving, so it is given small tensors that
    carry their expert's number, and what comes out is looked at. An older file that lacks a prefix is found
    by the longest common end of its name.

    Raises:
        ModelError: a W_out that no tensor of the files can be told to be.
    """
    from transformers.core_model_loading import revert_weight_conversion

    experts: dict[str, int] = {}
    for place in places:
        experts[place.parameter] = max(experts.get(place.parameter, 0), 1 + (place.expert or 0))
    found = {}
    for place in {place.parameter: place for place in places}.values():
        sample = _sample(place, experts[place.parameter])
        reverted = revert_weight_conversion(model, {place.parameter: sample})
        found[place.parameter] = reverted
    return {place.key: _file_place(name, place, found[place.parameter], stored) for place in places}


def _sample(place: WOut, experts: int) -> Tensor:
    shape = (D_MLP, D_MODEL) if place.as_rows else BY_COLUMNS
    if place.expert is None:
        return torch.zeros(shape)
    return torch.arange(float(experts))[:, None, None].expand(experts, *shape).contiguous()


def _file_place(
    name: str, place: WOut, reverted: Mapping[str, Tensor], stored: Mapping[str, TensorInfo]
) -> FilePlace:
    for saved, sample in reverted.items():
        fused = sample.ndim == 3
        if fused or place.expert is None or bool((sample == place.expert).all()):
            tensor = saved if saved in stored else _by_end(saved, stored)
            if tensor is not None:
                columns = tuple(sample.shape[-2:]) == BY_COLUMNS
                orientation = _orientation(place.shape, stored[tensor].shape[-2:], columns)
                if orientation is not None:
                    return FilePlace(tensor, orientation, fused)
    raise ModelError(f"{name}: no tensor of the checkpoint's files is {place.parameter}")


def _orientation(shape: tuple[int, int], stored: tuple[int, ...], columns: bool) -> Orientation | None:
    """By the conversion; some only turn what does not fit, so a shape that tells rules it out."""
    if sorted(shape) != sorted(stored):
        return None
    if shape[0] != shape[1]:
        columns = stored != shape
    return "columns" if columns else "rows"


def _by_end(runtime: str, stored: Collection[str]) -> str | None:
    parts = runtime.split(".")
    for first in range(1, len(parts) - 3):
        end = ".".join(parts[first:])
        alike = [name for name in stored if name == end or name.endswith(f".{end}")]
        if len(alike) == 1:
            return alike[0]
    return None
