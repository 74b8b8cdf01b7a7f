"""The verdict: every condition met by the worst edit, on enough cases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from editkit.evaluate.decide import decide
from editkit.plan import Case, EditPlan
from editkit.recipe.evaluation import Condition
from editkit.report import Interval, Score, Value

ACCEPT = {"efficacy": Condition(">=", 0.95), "locality": Condition(">=", 0.98)}


def score(name: str, value: float, edit: int | None = None, higher: bool = True) -> Score:
    return Score(name, Value(value, Interval(0, 1), 10), edit=edit, higher_is_better=higher)


GOOD = (score("efficacy", 1.0, 0), score("efficacy", 0.95, 1), score("locality", 0.98))


@pytest.fixture
def enough(case_of: Callable[..., Case]) -> Callable[[int, int], EditPlan]:
    def make(held_out: int, control: int) -> EditPlan:
        cases = [case_of("held_out") for _ in range(held_out)] + [case_of("control") for _ in range(control)]
        return EditPlan((), tuple(cases), len(cases))

    return make


def test_all_met_on_enough_cases(enough: Callable[[int, int], EditPlan]) -> None:
    verdict = decide(enough(20, 50), GOOD, ACCEPT)
    assert verdict.accepted
    assert verdict.reasons == ()
    assert [(one.name, one.asked, one.reached, one.met) for one in verdict.criteria] == [
        ("efficacy", ">= 0.95", 0.95, True),
        ("locality", ">= 0.98", 0.98, True),
    ]


@pytest.mark.parametrize(
    ("held_out", "control", "said"), [(19, 50, "19 held-out cases"), (20, 49, "49 control cases")]
)
def test_too_few_cases_are_never_accepted(
    enough: Callable[[int, int], EditPlan], held_out: int, control: int, said: str
) -> None:
    verdict = decide(enough(held_out, control), GOOD, ACCEPT)
    assert not verdict.accepted
    assert len(verdict.reasons) == 1
    assert verdict.reasons[0].startswith(said)
    assert "give more" in verdict.reasons[0]


def test_the_worst_edit_decides(enough: Callable[[int, int], EditPlan]) -> None:
    bad = (*GOOD, score("efficacy", 0.9, 2))
    verdict = decide(enough(20, 50), bad, ACCEPT)
    assert not verdict.accepted
    assert verdict.reasons == ("efficacy is 0.900 (edits[2]), asked for >= 0.95",)
    assert verdict.criteria[0].reached == 0.9


def test_where_less_is_better_the_highest_is_the_worst(enough: Callable[[int, int], EditPlan]) -> None:
    some = (score("drift", 0.01, higher=False), score("drift", 0.3, higher=False))
    verdict = decide(enough(20, 50), some, {"drift": Condition("<=", 0.1)})
    assert not verdict.accepted
    assert verdict.criteria[0].reached == 0.3


def test_what_was_not_measured_is_not_met(enough: Callable[[int, int], EditPlan]) -> None:
    verdict = decide(enough(20, 50), GOOD, {"locality_near": Condition(">=", 0.9)})
    assert not verdict.accepted
    assert verdict.reasons == ("locality_near was asked to be >= 0.9 and no case measured it",)
    assert verdict.criteria[0].reached is None


def test_nothing_asked_is_met(enough: Callable[[int, int], EditPlan]) -> None:
    assert decide(enough(20, 50), (), {}).accepted
