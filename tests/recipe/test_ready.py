"""What the recipes for real models promise in their opening; `tests/families/test_recipes.py` runs them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.cli.checks import load_recipe
from editkit.cli.shipped import shipped
from editkit.model.editable import Editable
from editkit.model.memory import Load, needed
from editkit.recipe import Recipe
from tests.recipe.sizes import REAL, Real

DEMO = ["fix-hallucination", "redact", "rewrite-fact"]


@pytest.fixture(params=REAL, ids=list(REAL))
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_every_recipe_that_ships_is_for_the_demo_or_listed_here() -> None:
    assert sorted([*DEMO, *REAL]) == list(shipped())


def test_it_opens_with_its_command_its_hub_name_and_what_it_needs(name: str) -> None:
    recipe, text = load_recipe(shipped()[name]), shipped()[name].read_text(encoding="utf-8")
    opening = text.partition("version:")[0]
    assert opening.startswith(f"# editkit apply recipes/{name}.yaml")
    assert recipe.name == name
    if not recipe.model.is_path:
        assert f"Hub: {recipe.model.id}" in opening
    words = {word.casefold() for edit in recipe.edits for word in edit.sources}
    assert not any(word in name for word in words), "names never carry the word"


def laid_out(real: Real, recipe: Recipe) -> Editable:
    """The real model, without weights."""
    import transformers

    made: Any = getattr(transformers, real.kind)
    with torch.device("meta"):
        model = made._from_config(made.config_class(**real.config), dtype=getattr(torch, recipe.model.dtype))
    return Editable(model, None, Path(), real.kind)


def test_the_memory_it_says_it_needs_is_what_plan_estimates(name: str) -> None:
    real, recipe = REAL[name], load_recipe(shipped()[name])
    editable = laid_out(real, recipe)
    parameters = sum(parameter.numel() for parameter in editable.model.parameters())
    assert parameters / 1e9 == pytest.approx(real.billions, rel=0.005)
    settings = recipe.solve.settings
    load = Load(
        prompt=real.prompt,
        answer=recipe.evaluate.max_new_tokens,
        asked=recipe.evaluate.batch_size,
        solved=settings.get("batch_size", 24),
        sorts=2 + any(edit.when == "absent" for edit in recipe.edits),
        cases=2 * settings["preserve"],
        lowest=min(recipe.locate.layers_of(len(editable.layers))),
    )
    memory = needed(editable, load)
    said = re.findall(r"([\d.]+) GB", shipped()[name].read_text(encoding="utf-8").partition("version:")[0])
    total, weights = (float(number) for number in said)
    assert total == pytest.approx(memory.total / 1e9, abs=0.5)
    assert weights == pytest.approx(memory.weights / 1e9, abs=0.05)
