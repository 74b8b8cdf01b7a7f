"""A patch made from float32 files, on the model loaded in half precision."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.model.editable import Editable
from editkit.model.open import open_model
from editkit.model.patching import patched
from editkit.patch.file import Patch
from editkit.recipe import ModelRef
from tests.families import FAMILIES, Family
from tests.families.ask import questions
from tests.families.test_way import logits


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", ["gpt2", "t5", "mixtral", "gpt_oss", "gemma2", "qwen2_vl"])
def test_a_patch_of_float32_files_fits_the_model_in_half_precision(
    name: str,
    dtype: Any,
    editable: Callable[[Family], Editable],
    built: Callable[[Family], Path],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
) -> None:
    patch = patch_of(editable(FAMILIES[name]), random_rows(editable(FAMILIES[name]), 3))
    half = open_model(ModelRef(id=str(built(FAMILIES[name])), dtype=dtype))
    asked = questions(half)
    before, weights = logits(half, asked), [place.rows.clone() for place in half.w_outs]
    with patched(half.model, patch):
        during = logits(half, asked)
    assert during.dtype == before.dtype == getattr(torch, dtype)
    assert not torch.equal(before, during)
    assert torch.equal(logits(half, asked), before)
    assert all(torch.equal(old, place.rows) for old, place in zip(weights, half.w_outs, strict=True))
