"""A score as a small drawing: three marks on one scale, each with its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from editkit.report import Score, Value

WIDTH: Final = 240
EDGE: Final = 8
TINY: Final = 1e-6


@dataclass(frozen=True)
class Mark:
    """One figure on the scale, in pixels from the left."""

    side: str
    at: float
    low: float
    high: float


@dataclass(frozen=True)
class Bar:
    """All marks of a score; `first` and `last` are the ends of its scale."""

    first: float
    last: float
    marks: tuple[Mark, ...]


def bar(score: Score) -> Bar | None:
    """Shares from 0 to 1, or less where all lie in a part of that; others from the least to the greatest."""
    sides = [("before", score.before), ("after", score.after), ("control", score.control)]
    values = [(side, value) for side, value in sides if value is not None and _finite(value)]
    if not values:
        return None
    low = min(min(value.interval.low, value.value) for _, value in values)
    high = max(max(value.interval.high, value.value) for _, value in values)
    first, last = _scale(low, high, score.unit == "share")

    def at(value: float) -> float:
        return round(EDGE + (WIDTH - 2 * EDGE) * (value - first) / (last - first), 1)

    return Bar(
        first,
        last,
        tuple(
            Mark(side, at(value.value), at(value.interval.low), at(value.interval.high))
            for side, value in values
        ),
    )


def _scale(low: float, high: float, share: bool) -> tuple[float, float]:
    if share and low >= -TINY and high <= 1 + TINY:
        return 0.0, 1.0
    if low >= 0 and low <= high / 2:
        low = 0.0
    room = (high - low) * 0.06 or abs(high) * 0.06 or 1.0
    return (low if low == 0 else low - room), high + room


def _finite(value: Value) -> bool:
    numbers: Iterable[float] = (value.value, value.interval.low, value.interval.high)
    return all(map(math.isfinite, numbers))
