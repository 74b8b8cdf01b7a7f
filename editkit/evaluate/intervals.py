"""95 % intervals: Wilson's for shares, bootstrap for means and for paired differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from editkit.report import Interval, Value

Z: Final = 1.959964
RESAMPLES: Final = 2_000
PARTS: Final = 40


def wilson(hits: int, count: int) -> Interval:
    """Wilson's score interval of a share."""
    if count == 0:
        return Interval(0.0, 1.0)
    share = hits / count
    middle = share + Z * Z / (2 * count)
    spread = Z * math.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
    scale = 1 + Z * Z / count
    return Interval(max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))


def bootstrap(values: Sequence[float], seed: int = 0) -> Interval:
    """Percentile bootstrap interval of a mean."""
    if not len(values):
        return Interval(math.nan, math.nan)
    rng = np.random.default_rng(seed)
    sample = np.asarray(values, dtype=np.float64)
    # In parts: all resamples of a drift's many positions at once would take gigabytes.
    draws = (rng.integers(len(sample), size=(RESAMPLES // PARTS, len(sample))) for _ in range(PARTS))
    means = np.concatenate([sample[draw].mean(axis=1) for draw in draws])
    return Interval(float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975)))


def pooled(counts: Sequence[Sequence[float]], pool: Callable[[Sequence[float]], float]) -> Value:
    """A figure of the sums of counts over cases, with the percentile bootstrap over cases.

    Args:
        counts: one tuple for each case.
        pool: sums of them -> the figure, NaN where they allow none; such resamples are left out.
    """
    if not len(counts):
        return Value(math.nan, Interval(math.nan, math.nan), 0)
    table = np.asarray(counts, dtype=np.float64)
    return Value(float(pool(table.sum(axis=0))), _percentiles(_resampled(table, pool)), len(table))


def pooled_difference(
    first: Sequence[Sequence[float]],
    second: Sequence[Sequence[float]],
    pool: Callable[[Sequence[float]], float],
) -> Value:
    """pool(first) - pool(second) on the same cases, which are drawn together."""
    if len(first) != len(second) or not len(first):
        return Value(math.nan, Interval(math.nan, math.nan), 0)
    one, other = (np.asarray(counts, dtype=np.float64) for counts in (first, second))
    apart = float(pool(one.sum(axis=0))) - float(pool(other.sum(axis=0)))
    return Value(apart, _percentiles(_resampled(one, pool) - _resampled(other, pool)), len(one))


def _resampled(
    counts: NDArray[np.float64], pool: Callable[[Sequence[float]], float], seed: int = 0
) -> NDArray[np.float64]:
    """The figure of `RESAMPLES` draws of as many cases; equal numbers of cases are drawn alike."""
    rng = np.random.default_rng(seed)
    draws = (rng.integers(len(counts), size=len(counts)) for _ in range(RESAMPLES))
    return np.array([pool(counts[draw].sum(axis=0)) for draw in draws], dtype=np.float64)


def _percentiles(figures: NDArray[np.float64]) -> Interval:
    real = figures[np.isfinite(figures)]
    if not len(real):
        return Interval(math.nan, math.nan)
    return Interval(float(np.quantile(real, 0.025)), float(np.quantile(real, 0.975)))


def share(flags: Sequence[bool]) -> Value:
    """The share of true flags with Wilson's interval."""
    hits = sum(flags)
    return Value(hits / len(flags) if flags else math.nan, wilson(hits, len(flags)), len(flags))


def mean(values: Sequence[float]) -> Value:
    """A mean with its bootstrap interval."""
    return Value(float(np.mean(values)) if len(values) else math.nan, bootstrap(values), len(values))


def paired(first: Sequence[float], second: Sequence[float]) -> Value:
    """Mean of first - second, case by case, with its bootstrap interval."""
    return mean([float(a) - float(b) for a, b in zip(first, second, strict=True)])
