"""What an edit left behind is opened by what it is: a patch, a merged model, an adapter."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from editkit.errors import InputError, ModelError, PatchError
from editkit.model.altered import open_altered
from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities
from editkit.model.open import open_model
from editkit.model.patching import patched, write_patch
from editkit.patch.file import Patch
from editkit.patch.rows import widen
from editkit.plan import Question
from editkit.recipe import ModelRef


@pytest.fixture
def base(tiny_checkpoint: Callable[..., Path]) -> Editable:
    return open_model(ModelRef(id=str(tiny_checkpoint("llama"))))


@pytest.fixture
def ref(base: Editable) -> ModelRef:
    return ModelRef(id=base.name)


@pytest.fixture
def patch(base: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch]) -> Patch:
    return patch_of(base, random_rows(base, 3))


@pytest.fixture
def said(base: Editable, patch: Patch, ask: Callable[..., list[Question]]) -> Callable[..., torch.Tensor]:
    """Logits of a model, by default of the base with the patch."""

    def logits(other: Editable | None = None) -> torch.Tensor:
        if other is not None:
            return torch.cat(log_probabilities(other, ask(base), [[20, 21]] * 3))
        with patched(base.model, patch):
            return logits(base)

    return logits


def adapter(base: Editable, patch: Patch, folder: Path) -> None:
    """The patch as peft writes a LoRA: one-hot A, the delta as B."""
    from peft import LoraConfig, get_peft_model

    rank = max(len(entry.neurons) for entry in patch.entries)
    modules = [entry.module for entry in patch.entries]
    wrapped = get_peft_model(
        open_model(ModelRef(id=base.name)).model,
        LoraConfig(r=rank, lora_alpha=rank, target_modules=modules),
    )
    for entry in patch.entries:
        module = wrapped.base_model.model.get_submodule(entry.module)
        down, up = module.lora_A["default"].weight.data, module.lora_B["default"].weight.data
        down.zero_()
        up.zero_()
        delta = widen(entry.edited, entry.dtype) - widen(entry.original, entry.dtype)
        for at, neuron in enumerate(entry.neurons.tolist()):
            down[at, neuron] = 1.0
            up[:, at] = torch.from_numpy(np.array(delta[at]))
    wrapped.save_pretrained(folder)


def test_a_patch_is_verified(base: Editable, patch: Patch, ref: ModelRef, tmp_path: Path) -> None:
    patch.save(tmp_path / "p.editkit.safetensors")
    assert open_altered(str(tmp_path / "p.editkit.safetensors"), base, ref) == patch


def test_a_merged_model_says_what_the_patched_one_says(
    base: Editable, patch: Patch, ref: ModelRef, said: Callable[..., torch.Tensor], tmp_path: Path
) -> None:
    expected = said()
    other = open_model(ref)
    write_patch(other.model, patch)
    other.model.save_pretrained(tmp_path / "merged")
    other.processor.save_pretrained(tmp_path / "merged")
    opened = open_altered(str(tmp_path / "merged"), base, ref)
    assert isinstance(opened, Editable)
    assert torch.equal(said(opened), expected)
    assert not torch.allclose(said(base), expected, atol=1e-3)


@pytest.mark.filterwarnings("ignore")  # peft's, while the test writes an adapter
def test_an_adapter_is_merged_into_a_base_of_its_own(
    base: Editable, patch: Patch, ref: ModelRef, said: Callable[..., torch.Tensor], tmp_path: Path
) -> None:
    before, expected = said(base), said()
    adapter(base, patch, tmp_path / "lora")
    opened = open_altered(str(tmp_path / "lora"), base, ref)
    assert isinstance(opened, Editable)
    assert opened.name == str(tmp_path / "lora")
    assert torch.allclose(said(opened), expected, atol=1e-5)
    assert torch.equal(said(base), before)


def test_what_is_none(
    base: Editable, ref: ModelRef, tiny_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    for name in ("nothing.editkit.safetensors", "./nothing", "a/b/c", str(tmp_path / "x")):
        with pytest.raises(InputError, match="no such file or folder"):
            open_altered(name, base, ref)
    (tmp_path / "p.editkit.safetensors").write_bytes(b"no patch")
    with pytest.raises(PatchError):
        open_altered(str(tmp_path / "p.editkit.safetensors"), base, ref)
    (tmp_path / "lora").mkdir()
    (tmp_path / "lora" / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="the adapter can't be used"):
        open_altered(str(tmp_path / "lora"), base, ref)


def test_another_models_tokens_are_no_edit(base: Editable, ref: ModelRef, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(base.folder, folder)
    tokenizer = open_model(ref).tokenizer
    tokenizer.add_tokens(["extra"])
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match="its tokens are not those of"):
        open_altered(str(folder), base, ref)
