"""Minimal number: how many neurons an edit needs."""

from __future__ import annotations

from collections.abc import Iterable


def minimal_number(points: Iterable[tuple[int, float]], wanted: float) -> int | None:
    """The smallest measured k from which on the efficacy stays at the wanted level or above; None if never.

    Larger k that were measured must reach it too (ours): a single lucky k is no answer. Several points of one
    k (seeds) must all reach it; NaN does not.

    Args:
        points: (k, efficacy) in any order.
    """
    reached: int | None = None
    lowest: dict[int, bool] = {}
    for k, efficacy in points:
        lowest[k] = lowest.get(k, True) and efficacy >= wanted
    for k in sorted(lowest, reverse=True):
        if not lowest[k]:
            break
        reached = k
    return reached
