"""95 % intervals against known values and laws."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editkit.evaluate.intervals import bootstrap, mean, paired, pooled, pooled_difference, share, wilson


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


def f1(sums: Sequence[float]) -> float:
    hits, wrong, missed = sums
    return 2 * hits / (2 * hits + wrong + missed) if hits + wrong + missed else math.nan


def test_a_pooled_figure_is_of_the_sums() -> None:
    found = pooled([(1, 0, 1), (0, 1, 0), (2, 0, 0)], f1)
    assert (found.value, found.count) == (pytest.approx(6 / 8), 3)
    assert found.interval.low <= found.value <= found.interval.high


COUNTS = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=8)


@given(counts=COUNTS)
@settings(max_examples=15)
def test_equal_cases_differ_by_nothing(counts: list[tuple[int, int, int]]) -> None:
    found = pooled_difference(counts, counts, f1)
    if any(map(any, counts)):
        assert (found.value, found.interval.low, found.interval.high) == (0.0, 0.0, 0.0)
    else:
        assert math.isnan(found.value)


@given(counts=COUNTS.filter(lambda counts: any(map(any, counts))))
@settings(max_examples=15)
def test_a_mean_is_a_pooled_figure_too(counts: list[tuple[int, int, int]]) -> None:
    values = [one[0] / 2 for one in counts]
    found = pooled([(value, 1.0) for value in values], lambda sums: sums[0] / sums[1])
    assert found.value == pytest.approx(mean(values).value)


def test_pooled_differences_are_drawn_together() -> None:
    rng = np.random.default_rng(0)
    one = [(float(value), 1.0) for value in rng.normal(5, 3, 60)]
    other = [(value - 1, 1.0) for value, _ in one]
    found = pooled_difference(one, other, lambda sums: sums[0] / sums[1])
    assert found.value == pytest.approx(1.0)
    assert found.interval.high - found.interval.low < 1e-9, "what both share cancels, case by case"


def test_a_figure_that_sums_do_not_allow_is_none() -> None:
    found = pooled([(0, 0, 0)] * 3, f1)
    assert math.isnan(found.value)
    assert math.isnan(found.interval.low)
    assert pooled([], f1).count == 0
