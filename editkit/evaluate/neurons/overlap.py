"""Overlap: how much of two rankings' tops is the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from editkit.errors import UsageError
from editkit.neuron import Neuron, Neurons


def top_of(ranking: Neurons, k: int) -> frozenset[Neuron]:
    """The first `k` neurons of a ranking, or all of a shorter one.

    Raises:
        UsageError: `k` is below 1.
    """
    if k < 1:
        raise UsageError(f"the top {k} of a ranking are no neurons: k is 1 or more")
    return frozenset(ranking.items[:k])


def overlap(first: Neurons, second: Neurons, k: int) -> float:
    """Neurons in both top k over k, in [0, 1].

    Ours: where a ranking is shorter than k (a filter found no more), over the longer of both tops; an empty
    one shares nothing.

    Raises:
        UsageError: `k` is below 1.
    """
    one, other = top_of(first, k), top_of(second, k)
    return len(one & other) / max(len(one), len(other), 1)


@dataclass(frozen=True)
class Overlaps:
    """Overlaps of every ranking with every other: `shares[i][j]` is that of `names[i]` and `names[j]`."""

    names: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]

    def of(self, first: str, second: str) -> float:
        return self.shares[self.names.index(first)][self.names.index(second)]


def overlaps(rankings: Mapping[str, Neurons], k: int) -> Overlaps:
    """The matrix of overlaps between several localizers' rankings of one concept; symmetric.

    Raises:
        UsageError: `k` is below 1.
    """
    rows = (tuple(overlap(one, other, k) for other in rankings.values()) for one in rankings.values())
    return Overlaps(tuple(rankings), tuple(rows))
