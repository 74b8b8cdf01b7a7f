"""Every input gets one role: edit, preserve, held out or control."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from editkit.errors import InputError
from editkit.model.generate import Answer
from editkit.plan import PlannedEdit, Question, Role

Sort = Literal["source", "near", "far"]


@dataclass(frozen=True)
class Cast:
    """A question with the unedited model's answer, and the part it plays."""

    question: Question
    answer: Answer
    role: Role
    edits: tuple[int, ...]
    near: bool


def sorted_out(
    question: Question, answer: Answer, edits: Sequence[PlannedEdit]
) -> tuple[Sort, tuple[int, ...]]:
    """What an answer means: it says the source of some edits, or truly and rightly so, or of none.

    Raises:
        InputError: `when: absent` and nobody knows what the picture shows.
    """
    hits, near = [], False
    for edit in edits:
        if edit.kind == "rewrite" or not edit.says_source(answer.text):
            continue
        if edit.when == "everywhere":
            hits.append(edit.number)
            continue
        contains = question.contains()
        if contains is None:
            raise InputError(
                f"edits[{edit.number}]: `when: absent` needs pictures whose objects are known: use COCO "
                "instances ({coco: ..., images: ...}) or the demo world, or leave `when` out"
            )
        if any(edit.says_source(kind) for kind in contains):
            near = True
        else:
            hits.append(edit.number)
    return ("source" if hits else "near" if near else "far"), tuple(hits)


def roles(
    asked: Sequence[tuple[Question, Answer]],
    edits: Sequence[PlannedEdit],
    *,
    seed: int,
    preserve: int,
    control: int,
) -> list[Cast]:
    """Half of the inputs of each sort for the edit, half for the test; split by content and seed.

    Inputs of one group (of one picture, of one text) fall on one side together. Far inputs beyond `preserve`
    and `control` are left out.
    """
    sorts = [sorted_out(question, answer, edits) for question, answer in asked]
    ranks = {sort: rank for rank, sort in enumerate(("source", "near", "far"))}
    groups: dict[str, tuple[Sort, tuple[int, ...]]] = {}
    for (question, _), (sort, hits) in zip(asked, sorts, strict=True):
        known = groups.get(question.group)
        if known is None or ranks[sort] < ranks[known[0]]:
            groups[question.group] = (sort, hits)
    for_test: dict[str, bool | None] = {}
    odd = 0  # where edits meet in all sorts of ways, each way may have one picture alone
    for kind in sorted(set(groups.values())):
        alike = [group for group, own in groups.items() if own == kind]
        alike.sort(key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())
        half = (len(alike) + 1) // 2
        tested = min(control, max(half, len(alike) - preserve)) if kind[0] == "far" else len(alike) // 2
        if kind[0] == "source":
            tested, odd = divmod(len(alike) + odd, 2)
        for place, group in enumerate(alike):
            used = kind[0] != "far" or place < tested + preserve
            for_test[group] = place < tested if used else None
    found = []
    for (question, answer), (sort, hits) in zip(asked, sorts, strict=True):
        side = for_test[question.group]
        if side is None:
            continue
        role: Role = (
            ("held_out" if side else "edit") if sort == "source" else ("control" if side else "preserve")
        )
        found.append(Cast(question, answer, role, hits, sort == "near"))
    # A group may hold several far inputs, and a group with a source some as well.
    spare = set[str]()
    for role, most in (("control", control), ("preserve", preserve)):
        far = [cast.question.id for cast in found if cast.role == role and not cast.near]
        spare.update(sorted(far, key=lambda one: hashlib.sha256(f"{seed}:{one}".encode()).digest())[most:])
    return [cast for cast in found if cast.question.id not in spare]
