from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.errors import InputError, ModelError, RecipeError
from editkit.evaluate.similarity import SIMILARITIES
from editkit.evaluate.similarity.available import similarities, similarity
from editkit.evaluate.similarity.bertscore import BertScore
from editkit.evaluate.similarity.measure import Unavailable
from editkit.recipe import Recipe, parse_recipe

RECIPE = "{{version: 1, name: a, model: {}, edits: [{{suppress: b}}], probe: {{prompts: [c]}}, evaluate: {}}}"


def recipe(model: str, evaluate: str = "{}", folder: Path | None = None) -> Recipe:
    return parse_recipe(RECIPE.format(model, evaluate), folder=folder)


def test_the_demo_model_has_the_demo_encoder() -> None:
    bertscore, moverscore, bleurt = similarities(recipe("demo/scenes"))
    assert isinstance(bertscore, BertScore)
    assert bertscore.encoder.name == "demo/encoder"
    assert moverscore.name == "moverscore"
    assert isinstance(bleurt, Unavailable)
    assert bleurt.reason.startswith("bleurt: no model named: set evaluate.bleurt to ")


def test_other_models_have_what_the_recipe_names_and_nothing_is_dropped_in_silence() -> None:
    found = similarities(recipe("org/name"))
    assert [one.name for one in found] == list(SIMILARITIES)
    for one in found:
        assert isinstance(one, Unavailable)
        assert one.reason.startswith(f"{one.name}: no ")
    with pytest.raises(InputError, match=r"moverscore: no encoder named: set evaluate\.encoder to "):
        similarity(recipe("org/name"), "moverscore")


def test_what_the_recipe_names_lies_beside_it(saved: Callable[[str], Path]) -> None:
    encoder, judge = saved("bert"), saved("judge")
    named = f"{{encoder: {{model: ./{encoder.name}, layer: 1}}, bleurt: {judge}}}"
    asked = recipe("org/name", named, encoder.parent)
    bertscore, moverscore, bleurt = similarities(asked)
    assert isinstance(bertscore, BertScore)
    assert bertscore.encoder.layer == 1
    assert not any(isinstance(one, Unavailable) for one in (moverscore, bleurt))
    assert similarity(asked, "bleurt").name == "bleurt"


def test_what_is_named_and_not_there_is_an_error() -> None:
    for named, told in (("encoder", "evaluate.encoder: "), ("bleurt", "evaluate.bleurt: ")):
        with pytest.raises(ModelError, match=f"{told}.*no such folder"):
            similarities(recipe("demo/scenes", f"{{{named}: ./nowhere}}"))
    with pytest.raises(RecipeError, match="unknown name, did you mean bertscore"):
        similarity(recipe("demo/scenes"), "bert_score")
