"""What was measured over steps as lines of an SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 640
HEIGHT: Final = 150
# More points than this no eye tells apart.
POINTS: Final = 160


@dataclass(frozen=True)
class Curve:
    """One measured key: its points in pixels, and the figures at both ends of the axes."""

    key: str
    points: str
    steps: tuple[int, int]
    values: tuple[float, float]
    last: float
    logarithmic: bool


def curves(history: Mapping[str, Sequence[tuple[int, float]]]) -> tuple[Curve, ...]:
    """A curve for each key that has two finite points; logarithmic over more than a factor of 20."""
    found = []
    for key, points in sorted(history.items()):
        own = sorted((step, value) for step, value in points if math.isfinite(value))
        if len(own) >= 2 and own[0][0] < own[-1][0]:
            found.append(_curve(key, own))
    return tuple(found)


def _curve(key: str, points: list[tuple[int, float]]) -> Curve:
    every = -(-len(points) // POINTS)
    kept = [*points[:-1:every], points[-1]]
    values = [value for _, value in kept]
    low, high = min(values), max(values)
    logarithmic = low > 0 and high / low > 20

    def scaled(value: float) -> float:
        return math.log(value) if logarithmic else value

    first, last = kept[0][0], kept[-1][0]
    bottom, span = scaled(low), scaled(high) - scaled(low)
    drawn = []
    for step, value in kept:
        across = (WIDTH - 12) * (step - first) / (last - first) + 6
        up = (scaled(value) - bottom) / span if span else 0.5
        drawn.append(f"{across:.1f},{(HEIGHT - 12) * (1 - up) + 6:.1f}")
    return Curve(key, " ".join(drawn), (first, last), (low, high), kept[-1][1], logarithmic)
