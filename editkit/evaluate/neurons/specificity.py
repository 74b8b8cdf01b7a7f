"""Specificity: how exclusively a concept's top neurons are its own."""

from __future__ import annotations

from collections.abc import Mapping

from editkit.evaluate.intervals import mean
from editkit.evaluate.neurons.overlap import overlap
from editkit.neuron import Neurons
from editkit.report import Value


def specificity(rankings: Mapping[str, Neurons], k: int) -> dict[str, Value]:
    """Of each concept, one minus the mean overlap of its top k with every other concept's.

    Pan et al. 2024 ask how exclusively neurons respond to their concept and give no formula: it is ours. The
    interval is the bootstrap over the other concepts, which `count` counts; a concept alone has NaN.

    Args:
        rankings: concept -> its neurons, all of one localizer.

    Raises:
        UsageError: `k` is below 1.
    """
    return {
        concept: mean([1 - overlap(own, other, k) for name, other in rankings.items() if name != concept])
        for concept, own in rankings.items()
    }
