"""A base and a patch in one call give what writing the patch into the base gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from editkit.errors import ModelError, PatchError
from editkit.model import loading
from editkit.model.editable import Editable
from editkit.model.loading import from_pretrained
from editkit.model.patching import patched, write_patch
from editkit.patch.file import Patch
from editkit.recipe import ModelRef


@pytest.fixture
def patch(llama: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch]) -> Patch:
    return patch_of(llama, random_rows(llama, 3))


def weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def equal(first: Any, second: Any) -> bool:
    one, other = weights(first), weights(second)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("stored", [True, False])
def test_the_patch_is_in_the_model(llama: Editable, patch: Patch, tmp_path: Path, stored: bool) -> None:
    patch.save(tmp_path / "p.editkit.safetensors")
    model = from_pretrained(llama.folder, str(tmp_path / "p.editkit.safetensors") if stored else patch)
    with patched(llama.model, patch):
        assert equal(model, llama.model)
    assert not equal(model, llama.model)


def test_settings_reach_transformers(llama: Editable, patch: Patch) -> None:
    model = from_pretrained(llama.folder, patch, dtype=torch.bfloat16, attn_implementation="eager")
    assert model.dtype == torch.bfloat16
    assert model.config._attn_implementation == "eager"


def test_a_merged_checkpoint_needs_no_editkit(llama: Editable, patch: Patch, tmp_path: Path) -> None:
    from_pretrained(llama.folder, patch).save_pretrained(tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    with patched(llama.model, patch):
        assert equal(merged, llama.model)
    with pytest.raises(PatchError, match="already patched"):
        from_pretrained(tmp_path / "merged", patch)


def test_another_base_is_refused_before_its_weights_are_loaded(
    tiny_checkpoint: Callable[..., Path], patch: Patch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        loading, "load_weights", lambda *_args, **_settings: pytest.fail("weights were loaded")
    )
    with pytest.raises(PatchError, match="base differs"):
        from_pretrained(tiny_checkpoint("llama", "bfloat16"), patch)


def test_a_base_or_patch_that_is_not_there(llama: Editable, patch: Patch, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        from_pretrained(tmp_path / "nowhere", patch)
    with pytest.raises(PatchError, match=r"no\.such"):
        from_pretrained(llama.folder, tmp_path / "no.such")


@pytest.mark.parametrize(
    ("base", "settings", "revision"),
    [
        ("org/name", {}, "f" * 40),
        ("org/name", {"revision": "v2"}, "v2"),
        ("org/name@v3", {}, "v3"),
        ("org/fork", {}, None),
    ],
)
def test_the_commit_is_the_callers_or_else_the_patchs(
    llama: Editable,
    patch: Patch,
    monkeypatch: pytest.MonkeyPatch,
    base: str,
    settings: Any,
    revision: str | None,
) -> None:
    asked: list[ModelRef] = []

    def files(ref: ModelRef, token: str | None) -> tuple[Path, str | None]:
        asked.append(ref)
        return llama.folder, ref.revision

    monkeypatch.setattr(loading, "locate_files", files)
    public = replace(patch, base=replace(patch.base, id="org/name", revision="f" * 40))
    from_pretrained(base, public, **settings)
    assert (asked[0].id, asked[0].revision) == (base.partition("@")[0], revision)


def test_a_damaged_checkpoint_is_one_sentence(llama: Editable, patch: Patch, tmp_path: Path) -> None:
    for file in llama.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights_file = tmp_path / "model.safetensors"
    weights_file.write_bytes(weights_file.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        from_pretrained(tmp_path, patch)
    with pytest.raises(ModelError, match="can't be loaded"):
        loading.load_weights(tmp_path, "mine")


def test_written_is_loaded(llama: Editable, patch: Patch) -> None:
    plain = AutoModelForCausalLM.from_pretrained(llama.folder)
    assert type(AutoConfig.from_pretrained(llama.folder)) is type(plain.config)
    write_patch(plain, patch)
    assert equal(plain, from_pretrained(llama.folder, patch))
