"""Curves as lines."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from editkit.page.curves import HEIGHT, POINTS, WIDTH, curves


@given(st.lists(st.floats(), max_size=400))
def test_curves_stay_in_their_frame(values: list[float]) -> None:
    for curve in curves({"loss": list(enumerate(values))}):
        pairs = [tuple(map(float, pair.split(","))) for pair in curve.points.split()]
        assert 2 <= len(pairs) <= POINTS + 1
        assert all(0 <= across <= WIDTH and 0 <= down <= HEIGHT for across, down in pairs)


def test_a_wide_range_is_logarithmic_and_the_last_figure_is_told() -> None:
    (curve,) = curves({"loss": [(2, 0.001), (0, 10.0), (1, math.nan)]})
    assert (curve.logarithmic, curve.last, curve.steps) == (True, 0.001, (0, 2))


def test_one_point_is_no_curve() -> None:
    assert curves({"loss": [(0, 1.0)]}) == ()
