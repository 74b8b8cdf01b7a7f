"""Figures as people read them."""

from __future__ import annotations

import math

from editkit.report import Value


def number(value: float | None, unit: str = "share") -> str:
    """Shares with three decimals, others with three digits."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.3f}" if unit == "share" else f"{value:.3g}"


def interval(value: Value | None, unit: str = "share") -> str:
    if value is None:
        return ""
    return f"{number(value.interval.low, unit)} to {number(value.interval.high, unit)}"


def whole(value: Value | None, unit: str = "share") -> str:
    """`0.985 [0.961, 0.994]`."""
    if value is None:
        return "-"
    low, high = number(value.interval.low, unit), number(value.interval.high, unit)
    return f"{number(value.value, unit)} [{low}, {high}]"
