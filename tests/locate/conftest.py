"""Plans for localizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from editkit.model.editable import Editable
from editkit.plan import Case, EditPlan, PlannedEdit, Question


@pytest.fixture
def plan_on(
    ask: Callable[..., list[Question]], make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]
) -> Callable[[Editable], EditPlan]:
    """`plan_on(editable)`: two edits, of a word of one token and of several; one case says both sources."""

    def make(editable: Editable) -> EditPlan:
        words = editable.tokenizer
        edits = (make_edit(words, "gun"), make_edit(words, "zebra", number=1))
        said: tuple[tuple[str, Any], ...] = (
            (" a gun", (0,)),
            (" a zebra and a gun", (0, 1)),
            (" the zebra", (1,)),
        )
        cases = [
            make_case(words, asked, text, edits=own)
            for asked, (text, own) in zip(ask(editable), said, strict=True)
        ]
        cases.append(make_case(words, ask(editable)[0], " a cup", "preserve"))
        return EditPlan(edits, tuple(cases), 4)

    return make
