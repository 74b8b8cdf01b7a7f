"""Rows scaled, by a solver like any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from editkit.cli.checks import json_schema, problems
from editkit.errors import RecipeError, SolveError, UsageError
from editkit.events import Advanced, Event, StageStarted, nobody
from editkit.methods import build
from editkit.model.changing import changed
from editkit.model.editable import Editable
from editkit.model.open import open_model
from editkit.model.patching import undo_patch, write_patch
from editkit.neuron import Neuron, Neurons
from editkit.pipeline import apply
from editkit.plan import EditPlan
from editkit.recipe import ModelRef, parse_recipe
from editkit.solve import SOLVERS
from editkit.solve.erase import Erase

ITEMS = tuple(Neuron(layer, index) for layer in (2, 0) for index in (33, 2, 9))
CHOSEN = Neurons(ITEMS, (0.0,) * len(ITEMS), "listed")
NOTHING = EditPlan((), (), 0)

RECIPE = """
version: 1
name: tiny
model: %s
edits: [{rewrite: {prompt: I see a, from: gun, to: cup}}]
control: {prompts: [the fork, the table, mom went], count: 3}
locate: {method: random, top: 12}
solve: {method: erase, factor: %s}
evaluate: {max_new_tokens: 4}
accept: {efficacy: ">= 0"}
"""
GUNS = """
version: 1
name: erased
model: demo/scenes
probe: {images: {demo: guns, count: 40}}
control: {count: 20}
edits: [{suppress: gun}]
locate: {method: contribution, top: 6}
solve: {method: erase}
evaluate: {max_new_tokens: 20}
"""


@given(factor=st.floats(-2, 2, width=32))
@settings(max_examples=20)
def test_rows_are_scaled_by_the_factor(any_model: Editable, factor: float) -> None:
    before = {layer: any_model.w_out(layer).rows.detach().clone() for layer in range(3)}
    delta = Erase(factor=factor).solve(any_model, NOTHING, CHOSEN, seed=0, tell=nobody)
    assert delta.neurons() == tuple(sorted(ITEMS, key=lambda neuron: (neuron.layer, neuron.index)))
    with changed(any_model, delta):
        for layer in range(3):
            scale = torch.ones(len(before[layer]), 1)
            scale[[neuron.index for neuron in ITEMS if neuron.layer == layer]] = factor
            assert torch.allclose(any_model.w_out(layer).rows, scale * before[layer], atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_ablated_rows_are_zero_in_every_dtype(tiny: Callable[..., Editable], family: str, dtype: str) -> None:
    editable = tiny(family, dtype)
    with changed(editable, Erase().solve(editable, NOTHING, CHOSEN, seed=0, tell=nobody)):
        for neuron in ITEMS:
            assert not editable.w_out(neuron.layer).rows[neuron.index].any()


def test_a_factor_of_one_is_no_change(llama: Editable) -> None:
    delta = Erase(factor=1.0).solve(llama, NOTHING, CHOSEN, seed=0, tell=nobody)
    assert all(not part.rows.any() for part in delta.layers)
    assert all(part.rows.dtype == np.float32 for part in delta.layers)


def test_bad_input(llama: Editable) -> None:
    with pytest.raises(SolveError, match="nothing to erase: no neurons"):
        Erase().solve(llama, NOTHING, Neurons((), (), "listed"), seed=0, tell=nobody)
    beyond = Neurons((Neuron(0, 48),), (0.0,), "listed")
    with pytest.raises(UsageError, match=r"no L0\.N48"):
        Erase().solve(llama, NOTHING, beyond, seed=0, tell=nobody)
    for wrong in (float("nan"), "much"):
        with pytest.raises(RecipeError, match=r"solve\.factor"):
            build(SOLVERS, "erase", {"factor": wrong}, "solve")


def test_recipes_that_erase_fit_the_schema() -> None:
    schema = jsonschema.Draft202012Validator(json_schema())
    whole = parse_recipe(RECIPE % ("x", 0.5), check=problems).document()
    assert schema.is_valid(whole)
    whole["solve"]["steps"] = 3
    assert not schema.is_valid(whole)
    assert [problem.path for problem in problems(whole)] == ["solve.steps"]


def test_all_steps_that_were_announced_are_told(llama: Editable) -> None:
    told: list[Event] = []
    Erase().solve(llama, NOTHING, CHOSEN, seed=0, tell=told.append)
    total = next(one.total for one in told if isinstance(one, StageStarted))
    assert total == sum(one.steps for one in told if isinstance(one, Advanced)) == 2


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_recipe_erases_and_the_patch_comes_out_bit_for_bit(
    tiny_checkpoint: Callable[..., Path], tmp_path: Path, family: str
) -> None:
    folder = tiny_checkpoint(family, "bfloat16")
    recipe = parse_recipe(RECIPE % (folder, 0.5))
    applied = apply(recipe, output=tmp_path / "tiny.editkit.safetensors", track=False)
    assert set(applied.patch.neurons()) == set(applied.neurons.items)
    assert applied.patch.provenance.solve.settings == {"factor": 0.5}
    editable = open_model(ModelRef(id=str(folder)))
    before = [place.rows.detach().clone() for place in editable.w_outs]
    write_patch(editable.model, applied.patch)
    for old, place in zip(before, editable.w_outs, strict=True):
        own = [neuron.index for neuron in applied.neurons if neuron.layer == place.layer]
        assert torch.equal(place.rows[own], old[own] / 2), "halves are exact in every dtype"
    undo_patch(editable.model, applied.patch)
    assert all(torch.equal(old, place.rows) for old, place in zip(before, editable.w_outs, strict=True))


def test_the_embedded_model_is_ablated(tmp_path: Path) -> None:
    applied: Any = apply(parse_recipe(GUNS), output=tmp_path / "g.editkit.safetensors", track=False)
    table = applied.report.table()
    assert table["efficacy"]["before"] == 0.0
    assert table["efficacy"]["after"] >= table["efficacy"]["control"]
    assert all(not entry.edited.any() for entry in applied.patch.entries)
