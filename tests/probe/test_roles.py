"""One role for each input, by content and seed."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import InputError
from editkit.model.generate import Answer
from editkit.plan import Form, Picture, PlannedEdit, Question
from editkit.probe.questions import question
from editkit.probe.roles import Cast, roles, sorted_out


def edit(word: str, number: int = 0, when: str = "everywhere", kind: str = "suppress") -> PlannedEdit:
    return PlannedEdit(number, kind, word, (word,), None, (Form(word, (1,), (2,)),), when)  # type: ignore[arg-type]


def shown(content: int, truth: set[str] | None = None, prompt: str = "what?") -> Question:
    return question(
        prompt, [Picture(str(content), str(content).encode(), None if truth is None else frozenset(truth))]
    )


def said(text: str) -> Answer:
    return Answer(text, (1,))


def test_who_says_the_source_is_of_its_edits() -> None:
    edits = (edit("gun"), edit("cup", 1))
    assert sorted_out(shown(1), said("a gun"), edits) == ("source", (0,))
    assert sorted_out(shown(1), said("a Cup and a gun"), edits) == ("source", (0, 1))
    assert sorted_out(shown(1), said("begun"), edits) == ("far", ())


def test_truth_decides_between_near_and_source() -> None:
    absent = (edit("fork", when="absent"),)
    assert sorted_out(shown(1, {"fork", "knife"}), said("a fork"), absent) == ("near", ())
    assert sorted_out(shown(1, {"knife"}), said("a fork"), absent) == ("source", (0,))
    assert sorted_out(shown(1, {"fork"}), said("a knife"), absent) == ("far", ())


def test_truth_that_nobody_knows_is_asked_for_only_where_it_matters() -> None:
    absent = (edit("fork", when="absent"),)
    with pytest.raises(InputError, match=r"edits\[0\].*COCO"):
        sorted_out(shown(1), said("a fork"), absent)
    assert sorted_out(shown(1), said("a knife"), absent) == ("far", ())


def test_a_rewrite_takes_no_probe_input() -> None:
    assert sorted_out(shown(1), said("Belton"), (edit("Belton", kind="rewrite"),)) == ("far", ())


INPUTS = st.lists(
    st.tuples(
        st.integers(0, 25),
        st.sampled_from(["what?", "where?"]),
        st.sampled_from(["a gun", "a fork", "a cup"]),
        st.booleans(),
    ),
    max_size=60,
    unique_by=lambda item: item[:2],
)


def cast(inputs: list[tuple[int, str, str, bool]], seed: int, preserve: int, control: int) -> list[Cast]:
    edits = (edit("gun"), edit("fork", 1, when="absent"))
    truths: dict[int, bool] = {}
    asked = [
        (shown(content, {"fork"} if truths.setdefault(content, truth) else set(), prompt), said(text))
        for content, prompt, text, truth in inputs
    ]
    return roles(asked, edits, seed=seed, preserve=preserve, control=control)


@given(inputs=INPUTS, seed=st.integers(0, 99), preserve=st.integers(0, 20), control=st.integers(0, 20))
def test_laws(inputs: list[tuple[int, str, str, bool]], seed: int, preserve: int, control: int) -> None:
    found = cast(inputs, seed, preserve, control)
    assert len({one.question.id for one in found}) == len(found), "an input has one role"
    sides = defaultdict(set)
    for one in found:
        sides[one.question.group].add(one.role in ("held_out", "control"))
        assert (one.role in ("edit", "held_out")) == bool(one.edits)
        assert not (one.near and one.edits)
    assert all(len(side) == 1 for side in sides.values()), "inputs of one picture are solved on or scored"
    far = Counter(one.role for one in found if not one.near and not one.edits)
    assert far["preserve"] <= preserve
    assert far["control"] <= control
    kept = {one.question.id for one in found}
    lost = [one for one in inputs if shown(one[0], None, one[1]).id not in kept]
    assert all(text != "a gun" for _, _, text, _ in lost), "no input that says a source is left out"


@given(inputs=INPUTS, seed=st.integers(0, 99), data=st.data())
def test_order_does_not_matter(
    inputs: list[tuple[int, str, str, bool]], seed: int, data: st.DataObject
) -> None:
    inputs = list({item[0]: item for item in inputs}.values())
    mixed = data.draw(st.permutations(inputs))
    plain = {one.question.id: one.role for one in cast(inputs, seed, 5, 5)}
    assert plain == {one.question.id: one.role for one in cast(mixed, seed, 5, 5)}


def test_half_of_each_sort_is_tested() -> None:
    inputs = [(n, "what?", "a gun", False) for n in range(40)] + [
        (n, "what?", "a cup", False) for n in range(40, 100)
    ]
    found = Counter(one.role for one in cast(inputs, 0, 20, 25))
    assert found == {"edit": 20, "held_out": 20, "control": 25, "preserve": 20}


def test_near_inputs_are_split_too() -> None:
    inputs = [(n, "what?", "a fork", True) for n in range(10)]
    found = cast(inputs, 0, 0, 0)
    assert Counter((one.role, one.near) for one in found) == {("control", True): 5, ("preserve", True): 5}


def test_another_seed_splits_otherwise() -> None:
    inputs = [(n, "what?", "a gun", False) for n in range(40)]
    first, second = ([one.role for one in cast(inputs, seed, 5, 5)] for seed in (0, 1))
    assert first == [one.role for one in cast(inputs, 0, 5, 5)]
    assert first != second


def test_the_only_input_with_a_source_is_edited() -> None:
    assert [one.role for one in cast([(0, "what?", "a gun", False)], 0, 5, 5)] == ["edit"]
