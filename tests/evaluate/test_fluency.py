"""Entropy of n-grams and repetition, by hand and by law."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate.fluency import NGRAM_ENTROPY, REPETITION, entropy, ngram_entropy, ngrams, repetition
from editkit.evaluate.metric import Observation
from editkit.plan import Case, PlannedEdit

WORDS = st.lists(st.sampled_from(["a", "gun", "and", "cup", ","]), max_size=20).map(" ".join)


def test_words_and_signs() -> None:
    assert ngrams("a gun, a cup.", 2) == [("a", "gun"), ("gun", ","), (",", "a"), ("a", "cup"), ("cup", ".")]
    assert ngrams("gun", 2) == ngrams("", 1) == []


def test_entropy_by_hand() -> None:
    # pairs: a b, b a, a b -> 2/3 and 1/3; triples: a b a, b a b -> 1/2 and 1/2
    pairs = -(2 / 3 * math.log2(2 / 3) + 1 / 3 * math.log2(1 / 3))
    assert entropy("a b a b", 2) == pytest.approx(pairs)
    assert entropy("a b a b", 3) == pytest.approx(1.0)
    assert ngram_entropy("a b a b") == pytest.approx((pairs + 2) / 3)
    # four different pairs, three different triples
    assert ngram_entropy("a b c d e") == pytest.approx((2 + 2 * math.log2(3)) / 3)


@pytest.mark.parametrize("text", ["", "  ", "gun", "gun gun", "gun gun gun gun"])
def test_what_says_nothing_new_has_none(text: str) -> None:
    assert ngram_entropy(text) == 0.0


def test_repetition_by_hand() -> None:
    # abcd bcda cdab dabc abcd: five, one of them twice
    assert repetition("a b c d a b c d") == pytest.approx(1 / 5)
    assert repetition("a a a a a a a") == pytest.approx(3 / 4)
    assert repetition("a b c") == repetition("") == 0.0


@given(text=WORDS)
def test_bounds(text: str) -> None:
    count = max(1, len(ngrams(text, 2)))
    assert 0.0 <= entropy(text, 2) <= math.log2(count) + 1e-9
    assert 0.0 <= repetition(text) < 1.0


@given(text=WORDS)
def test_saying_it_again_repeats_more(text: str) -> None:
    if len(ngrams(text, 1)) >= 4:
        assert repetition(f"{text} {text}") > 0


def test_they_count_where_the_edit_bites(
    edit_of: Callable[..., PlannedEdit], case_of: Callable[..., Case]
) -> None:
    edit, seen = edit_of("gun"), Observation("a b a b")
    for metric in (NGRAM_ENTROPY, REPETITION):
        assert len(metric.values(case_of("edit"), seen, edit)) == 1
        assert len(metric.values(case_of("held_out"), seen, edit)) == 1
        assert metric.values(case_of("held_out", edits=(1,)), seen, edit) == ()
        assert metric.values(case_of("control"), seen, edit) == ()
