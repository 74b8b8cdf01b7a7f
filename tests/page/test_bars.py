"""Scores drawn on a scale."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.page.bars import WIDTH, bar
from editkit.report import Interval, Score, Value

FINITE = st.floats(-1e6, 1e6)


@given(values=st.lists(st.tuples(FINITE, FINITE, FINITE), min_size=1, max_size=3), share=st.booleans())
def test_every_mark_lies_on_the_scale(values: list[tuple[float, float, float]], share: bool) -> None:
    found = [Value(sorted(own)[1], Interval(min(own), max(own)), 3) for own in values]
    score = Score("any", *found, unit="share" if share else "nats")
    drawn = bar(score)
    assert drawn is not None
    for mark in drawn.marks:
        assert 0 <= mark.low <= mark.at <= mark.high <= WIDTH


def test_shares_have_one_scale() -> None:
    drawn = bar(Score("bertscore", Value(1.0000001, Interval(0.99, 1.0000001), 3)))
    assert drawn is not None
    assert (drawn.first, drawn.last) == (0.0, 1.0)


@pytest.mark.parametrize("middle", [math.nan, math.inf])
def test_what_is_no_number_is_not_drawn(middle: float) -> None:
    assert bar(Score("any", Value(middle, Interval(0.0, 1.0), 3))) is None
