"""W_out's name in the files, which is not its name in the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from editkit.checkpoint import Checkpoint
from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.names import file_names


def test_the_named_tensor_holds_the_same_numbers(any_model: Editable) -> None:
    stored = load_file(any_model.folder / "model.safetensors")
    for layer, name in file_names(any_model, Checkpoint.open(any_model.folder).tensors).items():
        assert torch.equal(stored[name], any_model.w_out(layer).module.get_parameter("weight"))


def test_llavas_files_use_another_name(llava: Editable, tiny_checkpoint: Callable[..., Path]) -> None:
    names = file_names(llava, Checkpoint.open(tiny_checkpoint("llava")).tensors)
    assert names[1] == "language_model.model.layers.1.mlp.down_proj.weight"
    assert llava.w_out(1).name == "model.language_model.layers.1.mlp.down_proj"


def test_an_older_file_without_the_prefix(tiny: Callable[..., Editable]) -> None:
    stored = [f"h.{layer}.mlp.c_proj.weight" for layer in range(3)] + ["h.0.mlp.c_fc.weight"]
    assert file_names(tiny("gpt2"), stored) == {layer: stored[layer] for layer in range(3)}


def test_files_that_lack_a_w_out_are_refused(llama: Editable) -> None:
    with pytest.raises(ModelError, match=r"is model\.layers\.0\.mlp\.down_proj\.weight"):
        file_names(llama, ["model.layers.0.mlp.up_proj.weight"])
