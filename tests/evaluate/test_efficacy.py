"""Efficacy and generalization, to the letter of their definition."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from editkit.evaluate.efficacy import EFFICACY, GENERALIZATION, done
from editkit.evaluate.metric import Observation
from editkit.plan import Case, PlannedEdit


@pytest.mark.parametrize(
    ("said", "ok"),
    [
        ("a cup", True),
        ("a gun", False),
        ("a GUN.", False),
        ("two guns", False),
        ("it has begun", True),
        ("a gun-like thing", False),
        ("", False),
        ("  \n ", False),
    ],
)
def test_suppress_is_no_source_and_not_empty(
    edit_of: Callable[..., PlannedEdit], said: str, ok: bool
) -> None:
    assert done(said, edit_of("gun")) is ok


@pytest.mark.parametrize(
    ("said", "ok"),
    [("a cup", True), ("Cups", True), ("a knife", False), ("a cup and a gun", False), ("a cupboard", False)],
)
@pytest.mark.parametrize("kind", ["map", "suppress"])
def test_with_a_target_it_must_be_said_too(
    edit_of: Callable[..., PlannedEdit], kind: str, said: str, ok: bool
) -> None:
    assert done(said, edit_of("gun", "cup", kind=kind)) is ok


@pytest.mark.parametrize(
    ("said", "ok"),
    [
        ("Corvo.", True),
        ("  corvo", True),
        ("Corvo, not Belton", True),
        ("Corvoia", False),
        ("the Corvo", False),
        ("Belton", False),
        ("", False),
    ],
)
def test_rewrite_begins_with_the_target_at_a_word_boundary(
    edit_of: Callable[..., PlannedEdit], said: str, ok: bool
) -> None:
    assert done(said, edit_of("Belton", "Corvo", kind="rewrite")) is ok


def test_composed_and_decomposed_letters_are_the_same(edit_of: Callable[..., PlannedEdit]) -> None:
    assert not done("a cafe\u0301", edit_of("caf\u00e9"))


def test_each_counts_its_own_role_and_edit(
    edit_of: Callable[..., PlannedEdit], case_of: Callable[..., Case]
) -> None:
    edit, seen = edit_of("gun"), Observation("a cup")
    values = {
        role: (EFFICACY.values(case_of(role), seen, edit), GENERALIZATION.values(case_of(role), seen, edit))
        for role in ("edit", "held_out", "preserve", "control")
    }
    assert values == {
        "edit": ((1.0,), ()),
        "held_out": ((), (1.0,)),
        "preserve": ((), ()),
        "control": ((), ()),
    }
    assert EFFICACY.values(case_of("edit", edits=(1,)), seen, edit) == ()
    assert EFFICACY.values(case_of("edit"), seen, None) == ()
