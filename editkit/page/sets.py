"""A plan's cases as data sets: equal cases have equal digests."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from editkit.page.material import CaseSet
from editkit.plan import Case, EditPlan


def case_sets(plan: EditPlan) -> tuple[CaseSet, ...]:
    """One for each role that has cases, and for each suite of side effects."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in plan.cases:
        found.setdefault((case.role, case.suite or ""), []).append(case)
    return tuple(
        CaseSet(set_name(suite or role), role, len(cases), digest(cases))
        for (role, suite), cases in sorted(found.items())
    )


def set_name(sort: str) -> str:
    return f"{sort.replace('_', '-')}-cases"


def digest(cases: Iterable[Case]) -> str:
    """16 hex digits: MLflow keeps at most 36 characters."""
    return sha256("\n".join(sorted(case.question.id for case in cases)).encode()).hexdigest()[:16]
