from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from editkit.cli.checks import check, json_schema, problems
from editkit.errors import RecipeError
from editkit.recipe import parse_recipe

RECIPES = sorted((Path(__file__).parent.parent.parent / "recipes").glob("*.yaml"))
SMALL = "version: 1\nname: a\nmodel: x\nprobe: {prompts: [p]}\nedits: [{suppress: gun}]\n"


def told(more: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(SMALL + more, "x.yaml", check=problems)
    return [str(problem) for problem in caught.value.problems]


def test_methods_settings_and_metrics_are_checked_at_once_with_the_schema() -> None:
    text = """seeed: 1
locate:
  method: contribution
  tokns: all
solve: {method: gradint}
evaluate: {metrics: [efficacy, localty]}
accept: {efficacy: '> 0'}
"""
    assert told(text) == [
        "x.yaml:6: seeed: unknown key, did you mean seed?",
        "x.yaml:9: locate.tokns: unknown key, did you mean tokens?",
        "x.yaml:10: solve.method: unknown name, did you mean gradient?",
        "x.yaml:11: evaluate.metrics[1]: unknown metric, did you mean locality?",
    ]


def test_the_inpainter_of_twins_is_checked_as_well() -> None:
    twins = "probe:\n  prompts: [p]\n  twins:\n    method: METHOD\n    radios: 1"
    small = SMALL.replace("probe: {prompts: [p]}", twins)
    for method, said in (
        ("blr", "x.yaml:7: probe.twins.method: unknown name, did you mean blur?"),
        ("blur", "x.yaml:8: probe.twins.radios: unknown key, did you mean radius?"),
    ):
        with pytest.raises(RecipeError) as caught:
            parse_recipe(small.replace("METHOD", method), "x.yaml", check=problems)
        assert str(caught.value) == said


@pytest.mark.parametrize(
    "more", ["locate: 3", "locate: null", "locate: {method: 3}", "evaluate: {metrics: x}"]
)
def test_parts_of_the_wrong_type_are_told_once(more: str) -> None:
    assert len(told(more + "\n")) == 1


def test_a_recipe_can_be_checked_after_it_was_read() -> None:
    recipe = parse_recipe(SMALL + "locate:\n  tokens: first\n  tokns: all\n", "x.yaml")
    with pytest.raises(RecipeError, match=r"x\.yaml:8: locate\.tokns: unknown key"):
        check(recipe)
    check(parse_recipe(SMALL))


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_that_ship_fit_the_schema(validator: Any, path: Path) -> None:
    assert [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text()))] == []
    assert [
        error.message
        for error in validator.iter_errors(yaml.safe_load(parse_recipe(path.read_text()).to_yaml()))
    ] == []


SHORT_FORMS = (
    "probe: {images: a/*.png, texts: t.txt}",
    "control: {images: auto, prompts: [a]}",
    "control: {images: some/folder, prompts: {file: a}}",
    "model: {id: org/name, device: cuda}",
    "edits: [{suppress: [a, b], with: c}]",
    "locate: {top: all, layers: 2-3, tokens: first}",
    "probe: {images: {folder: a, masks: b}, twins: {method: telea, radius: 5, grow: 0, pairs: c}}",
    "probe: {images: {folder: a, boxes: b.json}, twins: {pixels: 900, cache: d}}",
    "accept: {drift: '<= 2e-3'}",
)
WRONG = (
    "seeed: 1",
    "model: 3",
    "edits: []",
    "edits: [{supress: gun}]",
    "locate: {tokns: all}",
    "locate: {method: listed}",
    "solve: {method: gradint}",
    "evaluate: {metrics: [localty]}",
    "accept: {efficacy: 0.95}",
    "accept: {efficay: '> 1'}",
    "probe: {images: {demo: gunz}}",
    "probe: {prompts: [p], twins: {method: tela}}",
    "probe: {prompts: [p], twins: {method: blur, pixels: 900}}",
    "probe: {prompts: [p], twins: {method: diffusers}}",
    "probe: {prompts: [p], twins: {count: 0}}",
    "version: 2",
)


@pytest.mark.parametrize("more", SHORT_FORMS)
def test_the_schema_takes_what_the_reader_takes(validator: Any, more: str) -> None:
    data = {**yaml.safe_load(SMALL), **yaml.safe_load(more)}
    parse_recipe(yaml.safe_dump(data), check=problems)
    assert validator.is_valid(data)


@pytest.mark.parametrize("more", WRONG)
def test_the_schema_refuses_what_the_reader_refuses(validator: Any, more: str) -> None:
    data = {**yaml.safe_load(SMALL), **yaml.safe_load(more)}
    with pytest.raises(RecipeError):
        parse_recipe(yaml.safe_dump(data), check=problems)
    assert not validator.is_valid(data)
