"""W_out's name in the files, which is not its name in the model."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from editkit.checkpoint import Checkpoint
from editkit.checkpoint.tensorfile import TensorInfo
from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.names import FilePlace, file_places
from editkit.neuron import MatrixKey


def places(editable: Editable, stored: dict[str, TensorInfo] | None = None) -> dict[MatrixKey, FilePlace]:
    tensors = Checkpoint.open(editable.folder).tensors if stored is None else stored
    return file_places(editable.model, editable.name, editable.w_outs, tensors)


def infos(names: Collection[str], shape: tuple[int, ...]) -> dict[str, TensorInfo]:
    return {name: TensorInfo(Path("model.safetensors"), name, "F32", shape, 0, 0) for name in names}


def test_the_named_tensor_holds_the_same_numbers(any_model: Editable) -> None:
    stored = load_file(any_model.folder / "model.safetensors")
    for key, place in places(any_model).items():
        tensor = stored[place.tensor]
        assert torch.equal(tensor if place.orientation == "rows" else tensor.T, any_model.w_out(*key).rows)


def test_llavas_files_use_another_name(llava: Editable) -> None:
    assert places(llava)[1, None].tensor == "language_model.model.layers.1.mlp.down_proj.weight"
    assert llava.w_out(1).name == "model.language_model.layers.1.mlp.down_proj"


def test_an_older_file_without_the_prefix(tiny: Callable[..., Editable]) -> None:
    names = [f"h.{layer}.mlp.c_proj.weight" for layer in range(3)]
    found = places(tiny("gpt2"), infos([*names, "h.0.mlp.c_fc.weight"], (128, 32)))
    assert found == {(layer, None): FilePlace(name, "rows") for layer, name in enumerate(names)}


def test_files_that_lack_a_w_out_are_refused(llama: Editable) -> None:
    with pytest.raises(ModelError, match=r"is model\.layers\.0\.mlp\.down_proj\.weight"):
        places(llama, infos(["model.layers.0.mlp.up_proj.weight"], (48, 32)))


def test_a_tensor_of_another_shape_is_not_it(llama: Editable) -> None:
    names = [f"model.layers.{layer}.mlp.down_proj.weight" for layer in range(3)]
    with pytest.raises(ModelError, match="no tensor of the checkpoint's files"):
        places(llama, infos(names, (32, 47)))
