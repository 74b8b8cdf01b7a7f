"""Where the tokens of a word stand in an answer."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from editkit.model.editable import Editable
from editkit.plan import Case, PlannedEdit
from editkit.probe.positions import source_positions, starts
from editkit.probe.questions import question


@pytest.mark.parametrize(
    ("said", "word", "spelled"),
    [
        (" a gun, a cup", "gun", "gun"),
        ("gun and gun", "gun", "gun"),
        (" the umbrella is", "umbrella", "umbrella"),
        (" begun, then Guns.", "gun", "Guns"),
        (" a zebra", "zebra", "zebra"),
    ],
)
def test_they_spell_the_first_whole_word(
    llama: Editable,
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
    said: str,
    word: str,
    spelled: str,
) -> None:
    case = make_case(llama.tokenizer, question("I see"), said)
    places = source_positions(llama.tokenizer, case, make_edit(llama.tokenizer, word))
    assert places == list(range(places[0], places[-1] + 1))
    found = llama.tokenizer.decode([case.said_tokens[place] for place in places])
    assert found.strip() == spelled, "a space that is a token of its own is no part of the word"


def test_an_answer_without_the_word_gives_its_first_token_or_its_end(
    llama: Editable, make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]
) -> None:
    edit = make_edit(llama.tokenizer, "gun")
    assert source_positions(llama.tokenizer, make_case(llama.tokenizer, question("x"), " a cup"), edit) == [0]
    assert source_positions(llama.tokenizer, make_case(llama.tokenizer, question("x"), ""), edit) == [0]


def test_starts_count_characters(llama: Editable) -> None:
    tokens = llama.tokenizer.encode(" a gun.", add_special_tokens=False)
    bounds = starts(llama.tokenizer, tokens)
    assert bounds[0] == 0
    assert bounds[-1] == len(" a gun.")
    assert [" a gun."[a:b] for a, b in pairwise(bounds)] == [
        llama.tokenizer.decode([token]) for token in tokens
    ]
