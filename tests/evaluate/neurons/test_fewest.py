from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate.neurons.fewest import minimal_number

POINTS = st.lists(st.tuples(st.integers(1, 20), st.floats(0, 1)), max_size=15)


def test_the_first_k_that_stays_there() -> None:
    points = [(32, 0.97), (8, 0.96), (1, 0.2), (16, 0.93), (64, 0.98)]
    assert minimal_number(points, 0.95) == 32
    assert minimal_number(points, 0.9) == 8
    assert minimal_number(points, 0.1) == 1
    assert minimal_number(points, 0.99) is None
    assert minimal_number([], 0.5) is None


def test_every_seed_of_a_k_has_to_reach_it_and_nan_does_not() -> None:
    assert minimal_number([(4, 0.9), (4, 0.4), (8, 0.9)], 0.5) == 8
    assert minimal_number([(4, 0.9), (8, math.nan)], 0.5) is None


@given(points=POINTS, wanted=st.floats(0, 1))
def test_it_is_reached_from_there_on_and_not_from_before(
    points: list[tuple[int, float]], wanted: float
) -> None:
    found = minimal_number(points, wanted)
    if found is not None:
        assert all(efficacy >= wanted for k, efficacy in points if k >= found)
    below = max((k for k, _ in points if found is None or k < found), default=None)
    if below is not None:
        assert any(efficacy < wanted for k, efficacy in points if k == below)
