"""Digests of inputs: what is the same input, and what may not be on both sides."""

from __future__ import annotations

from editkit.plan import Picture
from editkit.probe.questions import question

ONE, OTHER = Picture("one", b"1"), Picture("other", b"2")


def test_the_same_input_has_the_same_digests_whatever_its_name() -> None:
    first, second = question("what?", [ONE]), question("what?", [Picture("renamed", b"1")])
    assert (first.id, first.group) == (second.id, second.group)


def test_prompts_about_one_picture_are_one_group() -> None:
    first, second = question("what?", [ONE]), question("where?", [ONE])
    assert first.group == second.group
    assert first.id != second.id


def test_pictures_and_prompts_without_one_are_told_apart() -> None:
    found = [question("what?"), question("where?"), question("what?", [ONE]), question("what?", [OTHER])]
    assert len({item.id for item in found}) == 4
    assert len({item.group for item in found}) == 4


def test_a_chat_turn_is_another_input_than_plain_text() -> None:
    assert question("what?", chat=True).id != question("what?").id
    assert question("what?", [ONE], chat=True).group == question("what?", [ONE]).group


def test_the_order_of_pictures_counts() -> None:
    assert question("what?", [ONE, OTHER]).id != question("what?", [OTHER, ONE]).id
    assert question("what?", [Picture("", b"12")]).id != question("what?", [ONE, OTHER]).id


def test_what_the_pictures_contain_is_known_when_one_is() -> None:
    known = Picture("known", b"3", frozenset({"gun"}))
    assert question("what?", [ONE]).contains() is None
    assert question("what?", [ONE, known]).contains() == {"gun"}
    assert question("what?", [Picture("", b"4", frozenset())]).contains() == frozenset()
