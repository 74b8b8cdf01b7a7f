from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate.neurons.invariance import cross_image_invariance, region_invariance
from editkit.evaluate.neurons.overlap import overlap
from editkit.neuron import Neurons
from editkit.report import Interval

RANKINGS = st.lists(st.lists(st.integers(0, 9), unique=True, max_size=7), min_size=3, max_size=9)


def brute(per_image: list[Neurons], k: int) -> float:
    return float(np.mean([overlap(one, other, k) for one, other in combinations(per_image, 2)]))


@given(indices=RANKINGS, k=st.integers(1, 8))
def test_counts_give_what_all_pairs_give(
    ranking: Callable[..., Neurons], indices: list[list[int]], k: int
) -> None:
    """Of rankings of all lengths, the mean and the jackknife's interval."""
    per_image = [ranking(*own) for own in indices]
    found, n = cross_image_invariance(per_image, k), len(per_image)
    assert found.value == pytest.approx(brute(per_image, k))
    without = np.array([brute(per_image[:at] + per_image[at + 1 :], k) for at in range(n)])
    spread = 1.959964 * math.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    assert found.interval.low == pytest.approx(max(0.0, found.value - spread), abs=1e-9)
    assert found.interval.high == pytest.approx(min(1.0, found.value + spread), abs=1e-9)
    assert found.count == n


def test_equal_tops_are_invariant_and_apart_ones_are_not(ranking: Callable[..., Neurons]) -> None:
    same = cross_image_invariance([ranking(3, 1, 2), ranking(2, 1, 3), ranking(1, 2, 3)], 3)
    assert (same.value, same.interval) == (1.0, Interval(1.0, 1.0))
    assert cross_image_invariance([ranking(1), ranking(2), ranking(3)], 1).value == 0.0


def test_few_pictures_say_little(ranking: Callable[..., Neurons]) -> None:
    assert math.isnan(cross_image_invariance([], 2).value)
    assert math.isnan(cross_image_invariance([ranking(1, 2)], 2).value)
    two = cross_image_invariance([ranking(1, 2), ranking(2, 3)], 2)
    assert (two.value, two.interval) == (0.5, Interval(0.0, 1.0))


def test_the_interval_is_as_wide_as_samples_of_pictures_vary(ranking: Callable[..., Neurons]) -> None:
    rng = np.random.default_rng(0)

    def sample() -> list[Neurons]:
        return [ranking(*rng.choice(30, 10, replace=False, p=WEIGHTS).tolist()) for _ in range(40)]

    weights = np.arange(1, 31) ** 2.0
    WEIGHTS = weights / weights.sum()
    found = [cross_image_invariance(sample(), 10) for _ in range(60)]
    wide = np.mean([one.interval.high - one.interval.low for one in found])
    assert wide == pytest.approx(2 * 1.96 * np.std([one.value for one in found]), rel=0.35)


def test_thousands_of_pictures_are_no_matter(ranking: Callable[..., Neurons]) -> None:
    rng = np.random.default_rng(1)
    many = [ranking(*rng.permutation(400)[:50].tolist()) for _ in range(3_000)]
    start = time.perf_counter()
    assert cross_image_invariance(many, 50).value == pytest.approx(50 / 400, abs=0.01)
    assert time.perf_counter() - start < 10, "4.5 million pairs would take longer"


def test_what_stays_of_the_top_is_averaged_over_pairs(ranking: Callable[..., Neurons]) -> None:
    original = [ranking(1, 2, 3, 4), ranking(5, 6, 7, 8)]
    shuffled = [ranking(4, 3, 2, 1), ranking(5, 9, 10, 11)]
    found = region_invariance(original, shuffled, 4)
    assert (found.value, found.count) == (0.625, 2)
    assert region_invariance(original, original, 4).value == 1.0
    with pytest.raises(ValueError, match="shorter"):
        region_invariance(original, shuffled[:1], 4)
