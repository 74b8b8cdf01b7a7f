"""Plans whose pictures know where their objects are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from editkit.plan import Case, EditPlan, Form, Picture, PlannedEdit
from editkit.probe.questions import question


@pytest.fixture(scope="session")
def edit_of() -> Callable[..., PlannedEdit]:
    """`edit_of(0, "gun")`: an edit that loses some words, without a tokenizer."""

    def make(number: int, *words: str, **others: Any) -> PlannedEdit:
        forms = tuple(Form(word, (1,), (1,)) for word in words)
        return PlannedEdit(number, "suppress", "suppress", words, None, forms, **others)

    return make


@pytest.fixture(scope="session")
def plan_of() -> Callable[..., EditPlan]:
    """`plan_of(pictures, edits)`: an edit case for each picture and prompt that shows a source of an edit."""

    def make(
        pictures: Sequence[Picture], edits: Sequence[PlannedEdit], prompts: Sequence[str] = ("What is it?",)
    ) -> EditPlan:
        cases = []
        for shown in pictures:
            own = tuple(edit.number for edit in edits if any(map(edit.says_source, shown.contains or ())))
            role: Any = "edit" if own else "control"
            cases += [Case(question(prompt, [shown]), role, "it", (1,), own) for prompt in prompts]
        return EditPlan(tuple(edits), tuple(cases), len(cases))

    return make
