"""What is asked about each concept: where the model says it, and where it says others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from editkit.errors import InputError
from editkit.plan import Case, EditPlan, PlannedEdit

CASES: Final = 12
IMAGES: Final = 8


@dataclass(frozen=True)
class Subject:
    """One concept.

    Attributes:
        edit: its edit; `place` counts from 0 in the plan.
        asked: cases that say it, held out where there are any.
        others: cases that do not.
    """

    edit: PlannedEdit
    place: int
    asked: tuple[Case, ...]
    others: tuple[Case, ...]


def subjects(plan: EditPlan, count: int = CASES) -> tuple[Subject, ...]:
    """Every edit of a plan with at most `count` cases of each sort.

    Raises:
        InputError: an edit that nothing else can be compared with.
    """
    found = []
    scored = (*plan.of("held_out"), *plan.of("control"), *plan.of("edit"), *plan.of("preserve"))
    for place, edit in enumerate(plan.edits):
        own = plan.of("held_out", edit.number) or plan.of("edit", edit.number)
        others = [
            case for case in scored if edit.number not in case.edits and not edit.says_source(case.said)
        ]
        if not others:
            raise InputError(
                f"edits[{edit.number}]: every input says the source, so nothing is left to compare with: "
                "give control inputs, or probe inputs without it"
            )
        found.append(Subject(edit, place, own[:count], tuple(others[:count])))
    return tuple(found)


def one_by_one(
    plan: EditPlan, count: int = IMAGES, *, with_twins: bool = False
) -> tuple[EditPlan, tuple[tuple[int, Case], ...]]:
    """A plan in which every edit case is a concept of its own, to be ranked in one pass like all others.

    Args:
        count: most cases of each edit.
        with_twins: only cases that have a twin without the edit's source.

    Returns:
        The plan, and for each of its edits the place of the edit it came from and the case.
    """
    edits: list[PlannedEdit] = []
    cases: dict[str, Case] = {}
    owners: list[tuple[int, Case]] = []
    for place, edit in enumerate(plan.edits):
        own = [
            case
            for case in plan.of("edit", edit.number)
            if not with_twins or any(twin.edit == edit.number for twin in case.twins)
        ]
        for case in own[:count]:
            number = len(edits)
            edits.append(replace(edit, number=number))
            owners.append((place, case))
            known = cases.get(case.question.id, replace(case, edits=(), twins=()))
            twins = tuple(replace(t, edit=number) for t in case.twins if t.edit == edit.number)
            cases[case.question.id] = replace(
                known, edits=(*known.edits, number), twins=(*known.twins, *twins)
            )
    kept = tuple(case for case in plan.cases if case.role == "preserve")
    return EditPlan(tuple(edits), (*cases.values(), *kept), plan.asked), tuple(owners)
