"""Observations become scores: per edit, parts apart, beside the control."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from editkit.evaluate import METRICS
from editkit.evaluate.counterfactual import COUNTERFACTUAL
from editkit.evaluate.drift import DRIFT
from editkit.evaluate.efficacy import EFFICACY, GENERALIZATION
from editkit.evaluate.locality import LOCALITY
from editkit.evaluate.metric import Metric, Observation
from editkit.evaluate.scoring import rows, scores, spread, worst_first
from editkit.plan import Case, EditPlan, PlannedEdit

ALL = (EFFICACY, GENERALIZATION, COUNTERFACTUAL, LOCALITY, DRIFT)


@pytest.fixture
def plan(edit_of: Callable[..., PlannedEdit], case_of: Callable[..., Case]) -> EditPlan:
    edits = (edit_of("gun", "cup"), edit_of("knife", number=1))
    cases = (
        case_of("edit", "a gun", "a cup"),
        case_of("edit", "a gun, a knife", "a cup", edits=(0, 1)),
        case_of("held_out", "a knife", "a fork", edits=(1,)),
        case_of("control", "a ball"),
        case_of("control", "a gun", near=True),
        case_of("control", "a hat"),
    )
    return EditPlan(edits, cases, 9)


BEFORE = ["a gun", "a gun, a knife", "a knife", "a ball", "a gun", "a hat"]
AFTER = ["a cup", "a cup, a knife", "a fork", "a ball", "a gun", "a cap"]


def seen(texts: list[str], moved: float) -> list[Observation]:
    return [Observation(text, (moved, moved / 2, 0.0) if at >= 3 else ()) for at, text in enumerate(texts)]


def table(
    plan: EditPlan, control: list[str] | None = None
) -> dict[tuple[str, int | None], tuple[float | None, ...]]:
    found = scores(
        ALL,
        plan,
        plan.cases,
        seen(BEFORE, 0.0),
        seen(AFTER, 0.2),
        None if control is None else seen(control, 0.6),
    )
    return {
        (score.name, score.edit): tuple(
            None if value is None else round(value.value, 4)
            for value in (score.before, score.after, score.control)
        )
        for score in found
    }


def test_by_hand(plan: EditPlan) -> None:
    assert table(plan, BEFORE) == {
        ("efficacy", 0): (0.0, 1.0, 0.0),
        ("efficacy", 1): (0.0, 0.0, 0.0),
        ("generalization", 1): (0.0, 1.0, 0.0),
        ("counterfactual", 0): (0.0, 0.5, 0.0),
        ("counterfactual", 1): (0.0, 0.5, 0.0),
        ("locality", None): (1.0, 0.5, 1.0),
        ("locality_near", None): (1.0, 1.0, 1.0),
        ("drift", None): (0.0, 0.1, 0.3),
    }


def test_without_a_control_nothing_stands_beside(plan: EditPlan) -> None:
    assert all(values[2] is None for values in table(plan).values())
    assert all(
        score.difference is None
        for score in scores(ALL, plan, plan.cases, seen(BEFORE, 0), seen(AFTER, 0), None)
    )


def test_the_empty_patch_is_local_and_drifts_nowhere(plan: EditPlan) -> None:
    same = seen(BEFORE, 0.0)
    for score in scores(ALL, plan, plan.cases, same, same, same):
        if score.name.startswith("locality"):
            assert score.after.value == 1.0
        if score.name == "drift":
            assert score.after.value == 0.0
        if score.name == "efficacy":
            assert score.after.value == 0.0
        assert score.difference is not None
        assert score.difference.value == 0.0
        assert score.beats_control is False


def test_better_than_control_needs_an_interval_that_excludes_zero(
    edit_of: Callable[..., PlannedEdit], case_of: Callable[..., Case]
) -> None:
    cases = tuple(case_of("edit") for _ in range(30))
    plan = EditPlan((edit_of("gun"),), cases, 30)

    def beats(better: int) -> bool | None:
        after = [Observation("a cup")] * better + [Observation("a gun")] * (30 - better)
        control = [Observation("a gun")] * 30
        before = [Observation("a gun")] * 30
        return scores([EFFICACY], plan, cases, before, after, control)[0].beats_control

    assert [beats(n) for n in (0, 1, 15, 30)] == [False, False, True, True]


def test_less_drift_than_the_control_is_better(case_of: Callable[..., Case]) -> None:
    cases = tuple(case_of("control") for _ in range(20))
    few, many = ([Observation("a gun", (value,))] * 20 for value in (0.01, 0.2))
    assert scores([DRIFT], EditPlan((), cases, 20), cases, few, few, many)[0].beats_control is True
    assert scores([DRIFT], EditPlan((), cases, 20), cases, few, many, few)[0].beats_control is False


def test_spread_is_over_control_positions_only(plan: EditPlan) -> None:
    found = spread(plan.cases, seen(AFTER, 0.2))
    assert found["drift_max"] == pytest.approx(0.2)
    assert found["drift_p95"] == pytest.approx(0.2)
    assert spread(plan.cases, [Observation("")] * 6) == {}


def test_rows_say_what_changed_and_whether_it_is_right(plan: EditPlan) -> None:
    found = rows(ALL, plan, plan.cases, seen(AFTER, 0.2), None)
    assert [row.ok for row in found] == [True, False, True, True, True, False]
    assert [(row.before, row.after) for row in found] == list(zip(BEFORE, AFTER, strict=True))
    assert [row.wanted for row in found] == ["a cup", "a cup", "a fork", None, None, None]
    assert [row.edit for row in found] == [0, 0, 1, None, None, None]
    assert [row.near for row in found] == [False] * 4 + [True, False]


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_found_by_its_name(name: str) -> None:
    from importlib import import_module

    module, _, attribute = METRICS[name].partition(":")
    metric = getattr(import_module(module), attribute)
    assert isinstance(metric, Metric)
    assert metric.name == name


def test_no_line_of_the_table_is_forgotten() -> None:
    from importlib import import_module
    from pathlib import Path

    import editkit.evaluate

    made = set()
    for file in Path(editkit.evaluate.__file__).parent.glob("[a-z]*.py"):
        module = import_module(f"editkit.evaluate.{file.stem}")
        made |= {value.name for value in vars(module).values() if isinstance(value, Metric)}
    assert made == set(METRICS)


POOLED = Metric(
    "precision",
    lambda case, seen, edit: [(float(seen.text == "yes"), 1.0)] if case.suite == "asked" else (),
    per_edit=False,
    share=False,
    pool=lambda sums: sums[0] / sums[1],
    group="objects",
)


def test_a_pooled_metric_stands_before_after_and_beside(case_of: Callable[..., Case]) -> None:
    cases = tuple(case_of("side", suite="asked") for _ in range(4))
    before, after, control = (
        [Observation("yes")] * hits + [Observation("no")] * (4 - hits) for hits in (4, 3, 1)
    )
    (found,) = scores([POOLED], EditPlan((), cases, 4), cases, before, after, control)
    assert found.before is not None
    assert found.control is not None
    assert found.difference is not None
    assert (found.before.value, found.after.value, found.control.value) == (1.0, 0.75, 0.25)
    assert found.difference.value == 0.5
    assert found.group == "objects"


def test_side_cases_change_no_score_of_the_others(plan: EditPlan, case_of: Callable[..., Case]) -> None:
    extra = tuple(
        case_of("side", "a gun", suite=suite, edits=edits)
        for suite in ("paraphrase", "text_only", "pope_random")
        for edits in ((), (0,))
    )
    wider = EditPlan(plan.edits, (*plan.cases, *extra), plan.asked)
    more = [Observation("a gun", (9.0,))] * len(extra)
    alone = scores(ALL, plan, plan.cases, seen(BEFORE, 0.0), seen(AFTER, 0.2), None)
    beside = scores(ALL, wider, wider.cases, [*seen(BEFORE, 0.0), *more], [*seen(AFTER, 0.2), *more], None)
    assert beside == alone
    assert spread(wider.cases, [*seen(AFTER, 0.2), *more]) == spread(plan.cases, seen(AFTER, 0.2))


def test_the_worst_rows_come_first(plan: EditPlan) -> None:
    after = [Observation(one.text, (float(at),)) for at, one in enumerate(seen(AFTER, 0.0))]
    found = worst_first(rows(ALL, plan, plan.cases, after, None))
    assert [row.ok for row in found] == [False, False, True, True, True, True]
    assert [row.drift for row in found] == [5.0, 1.0, 2.0, 0.0, 4.0, 3.0]
    assert [row.before == row.after for row in found] == [False] * 4 + [True] * 2


def test_rows_of_side_effects_name_their_suite(case_of: Callable[..., Case]) -> None:
    cases = (
        case_of("side", "a gun", suite="negation"),
        case_of("side", "once upon", suite="perplexity", nats=(0.0, 2.0)),
    )
    after = [Observation("a cup"), Observation("", nats=(0.0, 0.0))]
    asked, read = rows(ALL, EditPlan((), cases, 2), cases, after, after)
    assert (asked.suite, asked.before, asked.after) == ("negation", "a gun", "a cup")
    assert (read.suite, read.before, read.after) == (
        "perplexity",
        "perplexity 2.718: once upon",
        "perplexity 1: once upon",
    )
