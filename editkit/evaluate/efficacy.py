"""Efficacy and generalization: does the model now do what was asked, in free generation?"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from editkit.evaluate.metric import Metric, Observation
from editkit.plan import Case, PlannedEdit, Role, collapsed


def done(said: str, edit: PlannedEdit) -> bool:
    """Whether an answer does what an edit asks for.

    suppress: no source, not empty, and the replacement where one is given; map: no source, and the target;
    rewrite: begins with the target, at a word's end.
    """
    if edit.kind == "rewrite":
        target = re.escape(collapsed(edit.target or ""))
        return re.match(rf"{target}(?!\w)", collapsed(said), re.IGNORECASE) is not None
    if edit.says_source(said) or not collapsed(said):
        return False
    return edit.target is None or edit.says_target(said)


def _of(role: Role) -> Callable[[Case, Observation, PlannedEdit | None], Sequence[float]]:
    def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
        if edit is None or case.role != role or edit.number not in case.edits:
            return ()
        return (float(done(seen.text, edit)),)

    return values


EFFICACY: Final = Metric("efficacy", _of("edit"), group="asked")
GENERALIZATION: Final = Metric("generalization", _of("held_out"), group="asked")
