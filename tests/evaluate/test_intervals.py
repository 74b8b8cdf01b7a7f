"""95 % intervals against known values and laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate.intervals import bootstrap, mean, paired, share, wilson


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [
        # Brown, Cai and DasGupta (2001) and Newcombe (1998) print these.
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson(hits: int, count: int, low: float, high: float) -> None:
    found = wilson(hits, count)
    assert (found.low, found.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


@given(count=st.integers(1, 500), data=st.data())
def test_wilson_holds_the_share_and_mirrors(count: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, count))
    found, mirror = wilson(hits, count), wilson(count - hits, count)
    assert 0.0 <= found.low <= hits / count + 1e-12
    assert hits / count - 1e-12 <= found.high <= 1.0
    assert found.low == pytest.approx(1 - mirror.high, abs=1e-9)
    wider = wilson(hits * 4, count * 4)
    assert wider.high - wider.low < found.high - found.low


def test_of_nothing_nothing_is_known() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    assert math.isnan(share([]).value)
    assert math.isnan(mean([]).value)
    assert math.isnan(bootstrap([]).low)


@given(values=st.lists(st.floats(-100, 100), min_size=1, max_size=30))
def test_bootstrap_holds_the_mean_of_what_it_resamples(values: list[float]) -> None:
    found = bootstrap(values)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert bootstrap(values) == found


def test_bootstrap_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, size=400).tolist()
    found = mean(values)
    half = 1.96 * np.std(values) / 20
    assert found.interval.low == pytest.approx(found.value - half, abs=0.03)
    assert found.interval.high == pytest.approx(found.value + half, abs=0.03)
    assert found.count == 400


def test_paired_differences_are_of_the_same_case() -> None:
    first, second = [0.0, 10.0, 20.0, 30.0] * 10, [-1.0, 9.0, 19.0, 29.0] * 10
    found = paired(first, second)
    assert found.value == 1.0
    assert (found.interval.low, found.interval.high) == (1.0, 1.0), "what varies between cases cancels"
    with pytest.raises(ValueError, match="shorter"):
        paired([1.0], [])


def test_share_counts() -> None:
    assert (share([True, False, True, True]).value, share([True] * 3).count) == (0.75, 3)
