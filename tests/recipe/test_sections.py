from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from editkit.errors import RecipeError
from editkit.recipe import Recipe, parse_recipe

SMALL = """version: 1
name: small
model: demo/scenes
probe: {images: {demo: guns}}
edits: [{suppress: gun}]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, "x.yaml")
    return [str(problem) for problem in caught.value.problems]


def small(**keys: Any) -> dict[str, Any]:
    return {**yaml.safe_load(SMALL), **keys}


@pytest.mark.parametrize(
    ("probe", "edits", "told"),
    [
        ("{prompts: [a]}", "[{suppress: gun, when: absent}]", "edits[0].when: absent needs pictures"),
        ("{}", "[{suppress: gun}]", "edits[0]: nothing to ask the model"),
        ("{images: x, prompts: []}", "[{suppress: gun}]", "probe.prompts: pictures need at least one prompt"),
    ],
)
def test_probes_that_can_not_serve_the_edits(probe: str, edits: str, told: str) -> None:
    (line,) = problems(f"version: 1\nname: a\nmodel: x\nprobe: {probe}\nedits: {edits}\n")
    assert told in line


def test_accept_asks_only_for_what_is_measured() -> None:
    text = SMALL + "evaluate: {metrics: [efficacy]}\naccept: {locality_near: '> 0.5'}\n"
    assert problems(text) == ["x.yaml:7: accept.locality_near: needs locality among evaluate.metrics"]
    assert "accept.locality" in problems(SMALL + "evaluate: {metrics: [efficacy]}\n")[0]


@pytest.mark.parametrize(
    ("text", "value", "met"), [(">= 0.5", 0.5, True), ("> .5", 0.5, False), ("<=1", 2, False)]
)
def test_conditions(text: str, value: float, met: bool) -> None:
    condition = Recipe.model_validate(small(accept={"drift": text})).accept["drift"]
    assert condition.met(value) is met


@pytest.mark.parametrize("given", ["org/name@main", {"model": "org/name@main"}])
def test_an_encoder_is_a_name_or_keys(given: object) -> None:
    encoder = Recipe.model_validate(small(evaluate={"encoder": given})).evaluate.encoder
    assert encoder is not None
    assert (encoder.model, encoder.layer) == ("org/name@main", None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{layer: 2}", "evaluate.encoder: expected a model, or {model: ..., layer: ...}"),
        ("[a]", "evaluate.encoder: expected a model, or {model: ..., layer: ...}"),
        ("{model: a, layer: 0}", "evaluate.encoder.layer: expected a number of at least 1"),
        ("{model: a, lyer: 1}", "evaluate.encoder.lyer: unknown key, did you mean layer?"),
        ("''", "evaluate.encoder.model: expected text that is not blank"),
    ],
)
def test_encoders_that_are_none(given: str, told: str) -> None:
    assert problems(SMALL + f"evaluate: {{encoder: {given}}}") == [f"x.yaml:6: {told}"]


@pytest.mark.parametrize(
    ("layers", "count", "meant"),
    [("all", 3, (0, 1, 2)), ("last_half", 5, (2, 3, 4)), ("1-2", 4, (1, 2)), ([3, 0, 3], 4, (0, 3))],
)
def test_layers(layers: object, count: int, meant: tuple[int, ...]) -> None:
    assert Recipe.model_validate(small(locate={"layers": layers})).locate.layers_of(count) == meant


def test_layers_the_model_does_not_have() -> None:
    locate = Recipe.model_validate(small(locate={"layers": "2-9"})).locate
    with pytest.raises(RecipeError, match=r"locate\.layers: asks for layer 9, and the model has 0 to 3"):
        locate.layers_of(4)


@pytest.mark.parametrize("layers", ["9-2", "a", [], [-1], [True], 3, "0-999999"])
def test_layers_that_mean_nothing(layers: object) -> None:
    with pytest.raises(ValidationError, match="a range such as"):
        Recipe.model_validate(small(locate={"layers": layers}))


def test_a_rewrite_needs_no_probe() -> None:
    text = "version: 1\nname: a\nmodel: x\nedits: [{rewrite: {prompt: p, from: a, to: b}}]"
    assert parse_recipe(text).edits[0].sources == ("a",)


@pytest.mark.parametrize("given", [True, False, "some/folder"])
def test_an_export_is_asked_for_by_yes_or_by_its_folder(given: object) -> None:
    export = Recipe.model_validate(small(export={"hub": given})).export
    assert (export.merged, export.lora, export.hub) == (False, False, given)


@pytest.mark.parametrize("given", ["1", "''", "[a]", "null"])
def test_an_export_is_nothing_else(given: str) -> None:
    told = ["x.yaml:6: export.lora: expected true, false or the path of a folder"]
    assert problems(SMALL + f"export: {{lora: {given}}}") == told
    assert problems(SMALL + "export: {loar: true}") == [
        "x.yaml:6: export.loar: unknown key, did you mean lora?"
    ]


def test_what_is_exported_is_no_part_of_a_recipes_identity() -> None:
    assert Recipe.model_validate(small(export={"hub": True})).digest == Recipe.model_validate(small()).digest
