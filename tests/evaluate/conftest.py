"""Cases and observations made by hand: metrics are pure functions of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from editkit.plan import Case, Form, PlannedEdit, Question, Wanted


def forms(source: str, target: str | None) -> tuple[Form, ...]:
    many = None if target is None else f"{target}s"
    return (Form(source, (1,), (1,), target), Form(f"{source}s", (2,), (2,), many))


@pytest.fixture(scope="session")
def edit_of() -> Callable[..., PlannedEdit]:
    """`edit_of("gun", "cup", kind="map", number=0)`."""

    def make(source: str, target: str | None = None, kind: Any = None, number: int = 0) -> PlannedEdit:
        kind = kind or ("suppress" if target is None else "map")
        return PlannedEdit(number, kind, f"{kind} {source}", (source,), target, forms(source, target))

    return make


@pytest.fixture(scope="session")
def case_of() -> Callable[..., Case]:
    """`case_of("edit", said="a gun", wanted="a cup")`, each with a question of its own."""
    count = iter(range(10_000))

    def make(role: Any, said: str = "a gun", wanted: str | None = None, **others: Any) -> Case:
        name = str(next(count))
        edits = others.pop("edits", (0,) if role in ("edit", "held_out") else ())
        aim = None if wanted is None else Wanted(wanted, (1,))
        return Case(Question(name, name, "what?"), role, said, (1, 2), edits, wanted=aim, **others)

    return make
