"""One comparison for all tests of it: the embedded model, two words, few pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from editkit.model.editable import Editable
from editkit.pipeline import plan_of
from editkit.plan import EditPlan
from editkit.recipe import Recipe, parse_recipe

TEXT = """
version: 1
name: look
model: demo/scenes
probe:
  images: {demo: guns, count: 50}
  twins: {cache: %s, count: 4}
control: {count: 4}
edits: [{suppress: gun}, {suppress: cup}]
locate: {top: 4}
solve: {preserve: 4}
evaluate: {max_new_tokens: 16}
"""


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    return parse_recipe(TEXT % tmp_path_factory.mktemp("twins"))


@pytest.fixture(scope="session")
def plan(words: Recipe, demo: Editable) -> EditPlan:
    from editkit.events import nobody

    return plan_of(words, demo, nobody, aims=False)


@pytest.fixture(scope="session")
def comparison(words: Recipe, demo: Editable, plan: EditPlan) -> Any:
    from editkit.study.compare import compare_on

    names = ("contribution", "random", "two_stage:regions=1")
    return compare_on(words, demo, plan, names, erase=64)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The recipe as a file."""
    place = tmp_path / "look.yaml"
    place.write_text(TEXT % (tmp_path / "twins"))
    return place
