"""A model of an unknown architecture, whose class comes with its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.errors import ModelError
from editkit.export.lora import export_lora
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.model.hooks import adding
from editkit.model.open import open_model
from editkit.model.patching import patched
from editkit.recipe import ModelRef, parse_recipe
from editkit.study.locating import locate_only
from tests.families.ask import questions
from tests.families.odd import build_odd

RECIPE = """
version: 1
name: odd
model: {{id: {folder}, trust_remote_code: {trusted}{more}}}
edits:
  - rewrite: {{prompt: the gun, from: gun, to: cup}}
locate: {{top: 3}}
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd") / "odd-1"
    build_odd(folder)
    return folder


def recipe(folder: Path, trusted: bool = True, more: str = "") -> Any:
    return parse_recipe(RECIPE.format(folder=folder, trusted=str(trusted).lower(), more=more))


def test_its_code_does_not_run_unless_the_recipe_says_so(odd: Path) -> None:
    with pytest.raises(ModelError, match=r"code in its own repository.*trust_remote_code: true"):
        locate_only(recipe(odd, trusted=False))


def test_a_guess_is_shown_and_not_used(odd: Path) -> None:
    said = r"by its shapes it is model\.layers\.\{\}\.mlp\.back.*set model\.w_out: 'model\.layers"
    with pytest.raises(ModelError, match=said):
        locate_only(recipe(odd))


def test_confirmed_it_is_edited_like_any(
    odd: Path, random_rows: Callable[..., Any], patch_of: Callable[..., Any]
) -> None:
    confirmed = 'w_out: "model.layers.{}.mlp.back"'
    found = locate_only(recipe(odd, more=f", {confirmed}"))
    assert len(found.neurons) == 3
    ref = ModelRef(id=str(odd), trust_remote_code=True, w_out="model.layers.{}.mlp.back")
    editable = open_model(ref)
    inputs = call_inputs(editable, feed(editable, questions(editable)))
    rows = random_rows(editable, 0)
    with torch.no_grad(), adding(editable, rows):
        hooked = editable.model(**inputs).logits
    with torch.no_grad(), patched(editable.model, patch_of(editable, rows)):
        assert torch.allclose(hooked, editable.model(**inputs).logits, atol=1e-4)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated")
def test_its_lora_is_written_without_running_its_code(
    odd: Path, random_rows: Callable[..., Any], patch_of: Callable[..., Any], tmp_path: Path
) -> None:
    from peft import PeftModel

    ref = ModelRef(id=str(odd), trust_remote_code=True, w_out="model.layers.{}.mlp.back")
    editable = open_model(ref)
    inputs = call_inputs(editable, feed(editable, questions(editable)))
    patch = patch_of(editable, random_rows(editable, 0))
    export_lora(patch, odd, tmp_path / "lora")
    with torch.no_grad(), patched(editable.model, patch):
        expected = editable.model(**inputs).logits
    adapted = PeftModel.from_pretrained(open_model(ref).model, tmp_path / "lora")
    with torch.no_grad():
        assert torch.equal(adapted.merge_and_unload()(**inputs).logits, expected)
