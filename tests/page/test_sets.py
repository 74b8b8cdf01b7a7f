"""Cases as data sets."""

from __future__ import annotations

from editkit.page.sets import case_sets
from editkit.plan import Case, EditPlan, Question


def test_equal_cases_have_equal_digests_whatever_their_order() -> None:
    cases = [Case(Question(f"q{at}", "g", "Say it."), "control", "a", (1,)) for at in range(3)]
    (one,), (other,) = (
        case_sets(EditPlan((), tuple(cases), 3)),
        case_sets(EditPlan((), tuple(cases[::-1]), 3)),
    )
    assert one == other
    assert (one.name, one.role, one.count, len(one.digest)) == ("control-cases", "control", 3, 16)
    (fewer,) = case_sets(EditPlan((), tuple(cases[:2]), 3))
    assert fewer.digest != one.digest
