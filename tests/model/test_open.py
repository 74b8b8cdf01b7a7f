"""Opening a checkpoint, and every way it can fail, in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.open import open_model
from editkit.recipe import ModelRef


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_files_dtype_is_kept_unless_another_is_asked_for(
    tiny: Callable[..., Editable], tiny_checkpoint: Callable[..., Path], dtype: str
) -> None:
    assert tiny("gpt2", dtype).model.dtype == getattr(torch, dtype)
    asked = open_model(ModelRef(id=str(tiny_checkpoint("gpt2", dtype)), dtype="float32"))
    assert asked.model.dtype == torch.float32


def test_the_embedded_model_is_a_checkpoint_like_any_other(demo: Editable) -> None:
    assert type(demo.model).__name__ == "LlavaForConditionalGeneration"
    assert demo.accepts_images
    assert demo.has_chat_template
    assert demo.revision is None
    assert sum(file.stat().st_size for file in demo.folder.iterdir()) < 12_000_000


def test_batches_are_padded_left_with_a_token_that_exists(any_model: Editable) -> None:
    assert any_model.tokenizer.padding_side == "left"
    assert any_model.tokenizer.pad_token_id is not None


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        open_model(ModelRef(id=str(tmp_path / "nowhere")))


def test_a_folder_without_a_config(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        open_model(ModelRef(id=str(tmp_path)))


def test_a_hub_model_that_can_not_be_had() -> None:
    with pytest.raises(ModelError, match=r"editkit-tests/none at revision main.*Hub"):
        open_model(ModelRef(id="editkit-tests/none", revision="main"))


@pytest.fixture
def copy(tiny_checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(tiny_checkpoint("llama"), folder)
    return folder


def test_a_config_that_is_no_json(copy: Path) -> None:
    (copy / "config.json").write_text("{")
    with pytest.raises(ModelError, match="can't be loaded"):
        open_model(ModelRef(id=str(copy)))


def test_a_kind_of_model_that_says_nothing(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "model_type": "vit"}))
    with pytest.raises(ModelError, match="vit: transformers has no language or vision-language class"):
        open_model(ModelRef(id=str(copy)))


def test_pickled_weights_are_never_loaded(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    torch.save({}, copy / "pytorch_model.bin")
    with pytest.raises(ModelError, match="can't be loaded"):
        open_model(ModelRef(id=str(copy)))


def test_damaged_weights(copy: Path) -> None:
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="can't be loaded"):
        open_model(ModelRef(id=str(copy)))


def test_a_checkpoint_without_a_tokenizer(copy: Path) -> None:
    for file in copy.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(ModelError, match="no usable tokenizer"):
        open_model(ModelRef(id=str(copy)))
