"""Invariance: do the top neurons stay when a picture's parts change places, and from picture to picture?"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from editkit.evaluate.intervals import Z, mean
from editkit.evaluate.neurons.overlap import overlap, top_of
from editkit.neuron import Neuron, Neurons
from editkit.report import Interval, Value


def region_invariance(original: Sequence[Neurons], shuffled: Sequence[Neurons], k: int) -> Value:
    """The share of the top k that stay when the image tokens are shuffled (Pan et al. 2024).

    Ours: `overlap` says what counts where a ranking is shorter than k; the mean over pairs (concepts, or
    pictures), with its bootstrap interval.

    Args:
        original, shuffled: the rankings of the same concepts, in the same order.

    Raises:
        UsageError: `k` is below 1.
    """
    return mean([overlap(one, other, k) for one, other in zip(original, shuffled, strict=True)])


def cross_image_invariance(per_image: Sequence[Neurons], k: int) -> Value:
    """The share of the top k common to two pictures of a concept (Pan et al. 2024), averaged over all pairs.

    Averaging over pairs is ours, and so is the interval: the jackknife over pictures, since pairs that share
    a picture are not independent. No pair is looked at: a picture's shares with all others follow from how
    many of them hold each of its neurons, so hundreds of pictures cost as many passes over k neurons.

    Returns:
        The mean, NaN for fewer than two pictures; `count` counts the pictures.

    Raises:
        UsageError: `k` is below 1.
    """
    tops = sorted((top_of(ranking, k) for ranking in per_image), key=len)
    n, sums = len(tops), _sums(tops)
    if n < 2:
        return Value(math.nan, Interval(math.nan, math.nan), n)
    total = sum(sums) / 2
    value = total / math.comb(n, 2)
    if n == 2:
        return Value(value, Interval(0.0, 1.0), n)
    without = [(total - own) / math.comb(n - 1, 2) for own in sums]
    middle = sum(without) / n
    spread = Z * math.sqrt((n - 1) / n * sum((one - middle) ** 2 for one in without))
    return Value(value, Interval(max(0.0, value - spread), min(1.0, value + spread)), n)


def _sums(tops: Sequence[frozenset[Neuron]]) -> list[float]:
    """Of each top, its overlaps with all others added up; the tops come shortest first.

    An overlap is a share of the longer top: of the own one with all before, of the other's with all after.
    """
    held: Counter[Neuron] = Counter()
    sums = []
    for top in tops:
        sums.append(sum(held[neuron] for neuron in top) / max(1, len(top)))
        held.update(top)
    weight: defaultdict[Neuron, float] = defaultdict(float)
    for at in range(len(tops) - 1, -1, -1):
        sums[at] += sum(weight[neuron] for neuron in tops[at])
        for neuron in tops[at]:
            weight[neuron] += 1 / len(tops[at])
    return sums
