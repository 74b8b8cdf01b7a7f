"""The pages under docs/ say what the code does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest

from editkit.cli.checks import json_schema
from editkit.evaluate import METRICS
from editkit.recipe import parse_recipe

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| `([a-z_.\[\]]+)` \| (.+?) \|", re.MULTILINE)
SHARED = ("control.images.", "control.prompts.", "evaluate.chair.images.")  # the same forms as the probe's

Keys = dict[str, set[str]]


def _keys(node: dict[str, Any], path: str, definitions: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every dotted key below a node of the schema, with a default of it as JSON."""
    if "$ref" in node:
        node = {**definitions[node["$ref"].rsplit("/", 1)[-1]], **node}
    for part in node.get("anyOf", []):
        yield from _keys(part, path, definitions)
    if "items" in node:
        yield from _keys(node["items"], f"{path}[]", definitions)
    for name, inner in node.get("properties", {}).items():
        key = f"{path}.{name}".lstrip(".")
        yield key, json.dumps(inner["default"]) if "default" in inner else "required"
        yield from _keys(inner, key, definitions)


@pytest.fixture(scope="module")
def schema() -> Keys:
    whole = json_schema()
    found: Keys = {}
    for key, default in _keys(whole, "", whole["$defs"]):
        if not key.startswith(SHARED):
            found.setdefault(key, set()).add(default)
    return found


@pytest.fixture(scope="module")
def documented() -> dict[str, str]:
    text = (ROOT / "docs" / "recipe.md").read_text(encoding="utf-8")
    return {key: default.strip("`") for key, default in ROW.findall(text)}


def test_every_key_of_a_recipe_is_documented_and_no_other(schema: Keys, documented: dict[str, str]) -> None:
    assert documented.keys() - {"evaluate", "control"} == schema.keys() - {"evaluate", "control"}


def test_documented_defaults_are_the_defaults(schema: Keys, documented: dict[str, str]) -> None:
    # The schema has no default for these: they hang on the method, or are made for each recipe.
    made = {"locate.method", "solve.method", "probe.twins.method", "accept"}
    said = {key: text for key, text in documented.items() if text != "see below" and key not in made}
    assert {key: text for key, text in said.items() if text not in schema[key]} == {}


def test_documented_defaults_of_the_methods_and_of_accept(documented: dict[str, str]) -> None:
    recipe = parse_recipe(
        "{version: 1, name: a, model: demo/scenes, edits: [{suppress: b}], probe: {prompts: [c]}}"
    )
    resolved = recipe.document()
    for key in ("locate.method", "solve.method", "probe.twins.method"):
        assert json.loads(documented[key]) == reduce(getitem, key.split("."), resolved)
    assert json.loads(documented["accept"]) == resolved["accept"]


def test_every_metric_is_described() -> None:
    text = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    named = {name for head in heads for name in re.findall(r"`(\w+)`", head)}
    named |= {head.removeprefix("## ").lower() for head in heads}
    named |= set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    # A ratio is told of with what it is a ratio of.
    assert [name for name in METRICS if name.removesuffix("_ratio") not in named] == []


PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("benchmarks/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
