"""How many neurons an edit needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.errors import UsageError
from editkit.events import nobody
from editkit.recipe import Recipe, parse_recipe
from editkit.study.curve import curve
from editkit.study.drawing import drawn_curve

FACT = """
version: 1
name: fact
model: %s
edits: [{rewrite: {prompt: I see a, from: gun, to: cup, paraphrases: [You see a], neighbors: [The sea]}}]
locate: {top: 4}
solve: {max_ratio: null, steps: 60, preserve: 4}
evaluate: {metrics: [efficacy, generalization, locality], max_new_tokens: 4}
accept: {efficacy: ">= 1"}
"""


@pytest.fixture
def fact(tiny_checkpoint: Callable[..., Path]) -> Recipe:
    return parse_recipe(FACT % tiny_checkpoint("llama"))


def test_more_neurons_until_it_is_enough(fact: Recipe) -> None:
    found = curve(fact, [24, 1, 8, 8], tell=nobody)
    assert [point.k for point in found.points] == [1, 8, 24]
    assert found.wanted == 1.0
    reached = [point.k for point in found.points if point.report.score("efficacy").after.value >= 1.0]
    assert reached
    assert found.fewest == min(
        k for k in reached if all(other in reached for other in (1, 8, 24) if other >= k)
    )
    assert all(point.report.score("efficacy").control is not None for point in found.points)
    assert drawn_curve(found).axes


@pytest.mark.parametrize("counts", [[], [0], [4, -1]])
def test_numbers_that_are_none_are_refused(fact: Recipe, counts: list[int]) -> None:
    with pytest.raises(UsageError, match="1,2,4,8,16"):
        curve(fact, counts)


def test_a_curve_of_neurons_that_twins_find() -> None:
    recipe = parse_recipe(
        "version: 1\nname: a\nmodel: demo/scenes\ncontrol: {count: 4}\nedits: [{suppress: gun}]\n"
        "probe: {images: {demo: guns, count: 12}, twins: {count: 4}}\n"
        "locate: {method: activation_difference, layers: [2, 3]}\n"
        "solve: {method: erase}\nevaluate: {max_new_tokens: 8, metrics: [efficacy, locality]}\n"
    )
    found = curve(recipe, [2], tell=nobody)
    assert [point.k for point in found.points] == [2]
    assert found.fewest is None
