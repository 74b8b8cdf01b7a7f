from __future__ import annotations

from typing import Any

import pytest

from editkit.errors import Problem
from editkit.recipe import parse_recipe
from editkit.recipe.settings import apply_environment, apply_overrides
from editkit.recipe.yaml import Document, read_yaml

TEXT = "model: org/name@v1\nlocate: {top: 2}\nedits:\n  - map: {from: a, to: b}\ntrack: null\n"
KEYS = ("model", "locate", "edits", "track", "seed", "accept")


@pytest.fixture
def document() -> Document:
    return read_yaml(TEXT, "x.yaml")


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("locate.top=16", ("locate", "top"), 16),
        ("locate.top = 16", ("locate", "top"), 16),
        ("edits[0].map.to=c", ("edits", 0, "map", "to"), "c"),
        ("edits.0.map.to=c", ("edits", 0, "map", "to"), "c"),
        ("edits[0]={suppress: [x, y]}", ("edits", 0), {"suppress": ["x", "y"]}),
        ("track.privacy.published=omit", ("track", "privacy", "published"), "omit"),
        ("accept.efficacy=>= 0.9", ("accept", "efficacy"), ">= 0.9"),
        ("seed=", ("seed",), None),
        ("solve.rate=1e-4", ("solve", "rate"), 1e-4),
        ("model.device=cuda", ("model",), {"id": "org/name", "revision": "v1", "device": "cuda"}),
        ("locate.rule=a=b", ("locate", "rule"), "a=b"),
    ],
)
def test_set(document: Document, override: str, path: tuple[Any, ...], value: object) -> None:
    assert apply_overrides(document, [override]) == []
    found = document.data
    for step in path:
        found = found[step]
    assert found == value


def test_later_settings_win(document: Document) -> None:
    assert apply_overrides(document, ["locate.top=3", "locate.top=4"]) == []
    assert document.data["locate"]["top"] == 4


@pytest.mark.parametrize(
    ("override", "path", "words"),
    [
        ("locate.top", "", "expected key=value"),
        ("=3", "", "expected key=value"),
        ("a b=3", "", "expected key=value"),
        ("edits[3].map.to=c", "edits.3.map.to", "edits has 1 items"),
        ("edits.first=c", "edits.first", "edits has 1 items"),
        ("locate.top.x=c", "locate.top.x", "locate.top has no keys"),
        ("locate.top=[1", "locate.top", "no YAML"),
    ],
)
def test_settings_that_have_no_place(document: Document, override: str, path: str, words: str) -> None:
    (problem,) = apply_overrides(document, [override])
    assert (problem.source, problem.line, problem.path) == ("--set", None, path)
    assert words in problem.message


def test_environment(document: Document) -> None:
    environ = {
        "EDITKIT_LOCATE__TOP": "all",
        "EDITKIT_EDITS__0__MAP__TO": "c",
        "EDITKIT_SEED": "7",
        "EDITKIT_HOME": "/x",
        "LOCATE__TOP": "1",
    }
    assert apply_environment(document, environ, KEYS) == []
    assert document.data["locate"]["top"] == "all"
    assert document.data["edits"][0]["map"]["to"] == "c"
    assert document.data["seed"] == 7
    assert "home" not in document.data


def test_a_variable_with_a_typo_is_told(document: Document) -> None:
    (problem,) = apply_environment(document, {"EDITKIT_LOCAT__TOP": "1"}, KEYS)
    assert problem == Problem("locat", "unknown key, did you mean locate?", None, "EDITKIT_LOCAT__TOP")


def test_problems_of_values_name_where_they_were_set() -> None:
    text = "version: 1\nname: a\nmodel: x\nprobe: {prompts: [p]}\nedits: [{suppress: gun}]\n"
    environ = {"EDITKIT_SEED": "x"}
    with pytest.raises(Exception, match="seed") as caught:
        parse_recipe(text, "x.yaml", overrides=["locate.top=0", "probe.promts=[a]"], environ=environ)
    assert set(str(caught.value).splitlines()) == {
        "EDITKIT_SEED: seed: expected a whole number",
        "--set: locate.top: expected a number of at least 1 or all",
        "--set: probe.promts: unknown key, did you mean prompts?",
    }
