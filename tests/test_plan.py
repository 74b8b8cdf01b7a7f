"""The nouns of a plan: words as they are found, cases as they are counted."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.plan import Case, EditPlan, Form, Known, Picture, PlannedEdit, Question, collapsed, matcher


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["gun"], "a gun.", ["gun"]),
        (["gun"], "begun gunner gun_ 9gun", []),
        (["gun"], "GUN, Gun; (gun) gun's", ["GUN", "Gun", "gun", "gun"]),
        (["gun", "guns"], "guns and a gun", ["guns", "gun"]),
        (["hot dog"], "a hot\n dog", ["hot\n dog"]),
        (["[redacted]"], "a [redacted].", ["[redacted]"]),
        (["a.b"], "a.b axb", ["a.b"]),
        ([], "anything", []),
    ],
)
def test_a_word_is_found_whole_whatever_its_case(words: list[str], text: str, found: list[str]) -> None:
    assert matcher(words).findall(text) == found


@given(word=st.from_regex(r"[a-z]{1,8}", fullmatch=True), other=st.from_regex(r"[a-z]{1,8}", fullmatch=True))
def test_a_word_is_found_in_a_list_only_where_it_is(word: str, other: str) -> None:
    assert (matcher([word]).search(f"{other}, {word}.") is not None) is True
    assert (matcher([word]).search(f"{other}, {other}{word}.") is None) == (word != other)


@given(text=st.text())
def test_collapsing_twice_is_collapsing_once(text: str) -> None:
    assert collapsed(collapsed(text)) == collapsed(text)
    assert not re.search(r"\s\s|^\s|\s$", collapsed(text))


def test_collapsed_composes_letters() -> None:
    assert collapsed(" cafe\u0301\n au  lait ") == "caf\u00e9 au lait"


FORMS = (Form("gun", (1,), (1,), "cup"), Form("Gun", (2,), (2,), "Cup"), Form("guns", (3,), (3,), "cups"))
EDIT = PlannedEdit(0, "map", "map gun -> cup", ("gun",), "cup", FORMS)


@pytest.mark.parametrize(
    ("written", "instead"),
    [("gun", "cup"), ("Gun", "Cup"), ("guns", "cups"), ("GUNS", "cups"), ("knife", None)],
)
def test_the_matching_target_form(written: str, instead: str | None) -> None:
    assert EDIT.instead_of(written) == instead


def test_an_edit_tells_its_words() -> None:
    assert EDIT.says_source("two Guns")
    assert not EDIT.says_source("begun")
    assert EDIT.says_target("Cups!")
    assert not PlannedEdit(0, "suppress", "", ("gun",), None, (Form("gun", (1,), (1,)),)).says_target("cup")


def test_a_plan_counts_its_roles() -> None:
    question = Question("q", "g", "what?")
    cases = (
        Case(question, "edit", "", (), (0,)),
        Case(question, "edit", "", (), (0, 1)),
        Case(question, "control", "", ()),
        Case(question, "control", "", (), near=True),
    )
    plan = EditPlan((EDIT,), cases, 7)
    assert plan.counts() == {"edit": 2, "control": 1, "control_near": 1}
    assert len(plan.of("edit")) == len(plan.of("edit", 0)) == 2
    assert plan.of("edit", 1) == cases[1:2]
    assert plan.of("held_out") == ()


def test_side_cases_are_counted_by_suite() -> None:
    question = Question("q", "g", "what?")
    cases = tuple(Case(question, "side", "", (), suite=suite) for suite in ("negation", "negation", "text"))
    plan = EditPlan((EDIT,), cases, 3)
    assert plan.counts() == {"side/negation": 2, "side/text": 1}
    assert plan.of("side") == cases


def test_what_is_known_of_the_input_counts_more_than_its_picture() -> None:
    question = Question("q", "g", "what?", (Picture("a.png", b"", frozenset({"cup"})),))
    assert Case(question, "side", "", ()).objects == {"cup"}
    assert Case(question, "side", "", (), known=Known(frozenset())).objects == frozenset()
