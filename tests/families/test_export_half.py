"""Checkpoints in half precision: merged files and merged LoRAs are the patched model, to the last bit.

But for what PEFT takes as a parameter, such as fused experts: it rounds what it adds, and the export says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.checkpoint import Checkpoint
from editkit.export.lora import export_lora
from editkit.export.merged import export_merged
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.model.open import load_weights, open_model
from editkit.model.patching import patched, write_patch
from editkit.patch.file import Patch
from editkit.recipe import ModelRef
from tests.families import FAMILIES, Family
from tests.families.ask import questions
from tests.families.test_export import SAID, off
from tests.families.test_export import pytestmark as known

pytestmark = known
DTYPES = pytest.mark.parametrize("dtype", ["bfloat16", "float16"])


@pytest.fixture
def half(built: Callable[[Family], Path], tmp_path: Path) -> Callable[[str, str], Editable]:
    """A family's checkpoint, stored in half precision."""

    def make(name: str, dtype: str) -> Editable:
        wide = open_model(ModelRef(id=str(built(FAMILIES[name])), dtype=dtype))
        wide.model.to(getattr(torch, dtype)).save_pretrained(tmp_path / dtype)
        wide.processor.save_pretrained(tmp_path / dtype)
        return open_model(ModelRef(id=str(tmp_path / dtype)))

    return make


def logits(model: Any, inputs: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.eval()(**inputs).logits.float()
    return found


def merge(model: Editable, patch: Patch, folder: Path, **how: Any) -> tuple[Any, tuple[str, ...]]:
    from peft import PeftModel

    exported = export_lora(patch, model.folder, folder)
    adapted = PeftModel.from_pretrained(load_weights(model.folder, "base"), folder)
    return adapted.merge_and_unload(**how), exported.notes


@DTYPES
@pytest.mark.parametrize("name", ["llama", "gpt2", "t5", "llava"])
def test_modules_merge_to_the_last_bit(
    name: str,
    dtype: str,
    half: Callable[[str, str], Editable],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path: Path,
) -> None:
    model = half(name, dtype)
    patch = patch_of(model, random_rows(model, 3))
    inputs = call_inputs(model, feed(model, questions(model), SAID))
    merged, notes = merge(model, patch, tmp_path / "lora")
    assert notes == ()
    export_merged(patch, Checkpoint.open(model.folder), tmp_path / "merged")
    with patched(model.model, patch):
        expected = logits(model.model, inputs)
        for key, weight in model.model.state_dict().items():
            assert torch.equal(merged.state_dict()[key], weight)
    assert torch.equal(logits(merged, inputs), expected)
    assert torch.equal(logits(load_weights(tmp_path / "merged", "merged"), inputs), expected)


@DTYPES
@pytest.mark.parametrize("name", ["qwen3_moe", "gpt_oss", "deepseek_v2"])
def test_parameters_merge_as_far_off_as_the_export_says(
    name: str,
    dtype: str,
    half: Callable[[str, str], Editable],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path: Path,
) -> None:
    model = half(name, dtype)
    patch = patch_of(model, random_rows(model, 3))
    inputs = call_inputs(model, feed(model, questions(model), SAID))
    merged, notes = merge(model, patch, tmp_path / "lora")
    short = {"bfloat16": "BF16", "float16": "F16"}[dtype]
    said = re.search(rf"^(\d+) of .* by ([\d.e-]+) at most .* adds to a parameter to {short}$", notes[0])
    assert said
    count, most = 0, 0.0
    with patched(model.model, patch):
        expected = logits(model.model, inputs)
        for key, weight in model.model.state_dict().items():
            wide = (merged.state_dict()[key].float() - weight.float()).abs()
            count, most = count + int((wide > 0).sum()), max(most, float(wide.max()))
    assert (count, f"{most:.1e}") == (int(said[1]), said[2])
    assert 0 < off(logits(merged, inputs), expected) < {"bfloat16": 0.05, "float16": 0.01}[dtype]


@DTYPES
def test_loaded_wider_than_stored_it_is_the_same(
    dtype: str,
    half: Callable[[str, str], Editable],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path: Path,
) -> None:
    """What is added is exact in float32, so it is for who loads half precision as float32."""
    from peft import PeftModel

    model = half("llama", dtype)
    patch = patch_of(model, random_rows(model, 3))
    export_lora(patch, model.folder, tmp_path / "lora")
    wide = load_weights(model.folder, "base", dtype="float32")
    merged = PeftModel.from_pretrained(wide, tmp_path / "lora").merge_and_unload()
    expected = load_weights(model.folder, "base", dtype="float32")
    write_patch(expected, patch)
    for key, weight in expected.state_dict().items():
        assert torch.equal(merged.state_dict()[key], weight)
