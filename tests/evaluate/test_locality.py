"""Locality and counterfactual accuracy: exactly the same answer, or exactly the wanted one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from editkit.evaluate.counterfactual import COUNTERFACTUAL
from editkit.evaluate.drift import DRIFT
from editkit.evaluate.locality import LOCALITY
from editkit.evaluate.metric import Observation
from editkit.plan import Case, PlannedEdit


@pytest.mark.parametrize(
    ("said", "value"), [("a cup", 1.0), (" a  cup\n", 1.0), ("A cup", 0.0), ("a cup.", 0.0), ("", 0.0)]
)
def test_a_control_case_answers_exactly_as_before(
    case_of: Callable[..., Case], said: str, value: float
) -> None:
    assert LOCALITY.values(case_of("control", "a cup"), Observation(said), None) == (value,)


@pytest.mark.parametrize("role", ["edit", "held_out", "preserve"])
def test_other_cases_do_not_count(case_of: Callable[..., Case], role: str) -> None:
    seen = Observation("a cup", (1.0,))
    assert LOCALITY.values(case_of(role, "a cup"), seen, None) == ()
    assert DRIFT.values(case_of(role, "a cup"), seen, None) == ()


def test_near_cases_and_neighbours_are_scored_apart(case_of: Callable[..., Case]) -> None:
    assert LOCALITY.part(case_of("control")) == "locality"
    assert LOCALITY.part(case_of("control", near=True)) == "locality_near"
    assert LOCALITY.part(case_of("control", probe="neighbor")) == "locality_neighbors"


def test_drift_is_every_position_of_a_control_case(case_of: Callable[..., Case]) -> None:
    seen = Observation("anything", (0.1, 0.0, 0.3))
    assert DRIFT.values(case_of("control"), seen, None) == (0.1, 0.0, 0.3)
    assert (DRIFT.per_edit, DRIFT.higher_is_better, DRIFT.unit) == (False, False, "nats")


@pytest.mark.parametrize("role", ["edit", "held_out"])
def test_counterfactual_is_the_wanted_answer_and_nothing_else(
    edit_of: Callable[..., PlannedEdit], case_of: Callable[..., Case], role: str
) -> None:
    edit, case = edit_of("gun", "cup"), case_of(role, "a gun", "a cup")
    assert COUNTERFACTUAL.values(case, Observation(" a cup "), edit) == (1.0,)
    assert COUNTERFACTUAL.values(case, Observation("a cup."), edit) == (0.0,)
    assert COUNTERFACTUAL.values(case, Observation("a cup"), edit_of("gun", "cup", number=1)) == ()
    assert COUNTERFACTUAL.values(case, Observation("a cup"), None) == ()


def test_control_cases_have_no_counterfactual(
    edit_of: Callable[..., PlannedEdit], case_of: Callable[..., Case]
) -> None:
    assert COUNTERFACTUAL.values(case_of("control"), Observation("a cup"), edit_of("gun")) == ()
