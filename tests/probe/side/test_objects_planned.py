"""A plan holds POPE's questions and CHAIR's lists, and the embedded model has the faults it is known for."""

from __future__ import annotations

from typing import Any, Final

import pytest

from editkit.evaluate import METRICS
from editkit.evaluate.observe import unedited
from editkit.evaluate.scoring import scores
from editkit.events import nobody
from editkit.methods import load
from editkit.model.editable import Editable
from editkit.plan import EditPlan
from editkit.probe.planning import make_plan
from editkit.recipe import parse_recipe
from editkit.report import Score

RECIPE: Final = """
version: 1
name: kites
model: demo/scenes
probe: {images: {demo: kites, count: 40}}
control: {count: 20}
edits: [{map: {from: fish, to: kite}, when: absent}]
evaluate: {chair: {}, pope: {demo: pairs, count: 20}}
"""


@pytest.fixture(scope="module")
def plan(demo: Editable) -> EditPlan:
    return make_plan(parse_recipe(RECIPE), demo, preserve=20, tell=nobody)


@pytest.fixture(scope="module")
def before(plan: EditPlan) -> dict[str, Score]:
    metrics: list[Any] = [load(METRICS, name, "") for name in parse_recipe(RECIPE).evaluate.scored]
    cases = [case for case in plan.cases if case.role != "preserve"]
    seen = unedited(cases)
    return {score.name: score for score in scores(metrics, plan, cases, seen, seen, None)}


def test_questions_are_inputs_that_nothing_is_solved_on(plan: EditPlan) -> None:
    asked = [case for case in plan.cases if case.role == "side"]
    assert {case.suite for case in asked} == {"pope_random", "pope_popular", "pope_adversarial"}
    solved = {case.question.group for case in plan.cases if case.role in ("edit", "preserve")}
    assert not solved & {case.question.group for case in asked}
    counts = plan.counts()
    assert counts["side/pope_random"] == counts["side/pope_adversarial"] > 20


def test_an_invented_fish_is_counted_where_it_is_invented(before: dict[str, Score]) -> None:
    # Held-out pictures are those beside whose boat the model says fish for a kite: one invention in each.
    assert before["chair_s_held_out"].after.value == 1
    assert 0.2 < before["chair_i_held_out"].after.value <= 0.5
    assert before["chair_s"].after.value < 0.2
    assert before["object_recall"].after.value > 0.9


def test_partners_that_are_absent_are_affirmed_more_than_others(before: dict[str, Score]) -> None:
    values = {name: score.after.value for name, score in before.items() if name.startswith("pope_")}
    for kind in ("random", "popular"):
        assert values[f"pope_accuracy_{kind}"] > 0.88
        assert values[f"pope_precision_{kind}"] > values["pope_precision_adversarial"] + 0.05
        assert values["pope_yes_adversarial"] > values[f"pope_yes_{kind}"]
        # The same present objects are asked about in all three.
        assert values[f"pope_recall_{kind}"] == values["pope_recall_adversarial"] > 0.8
    assert {value for name, value in values.items() if name.startswith("pope_unclear")} == {0}
