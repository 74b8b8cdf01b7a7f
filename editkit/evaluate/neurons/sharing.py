"""Sharing: of the neurons that carry a concept in a picture, how many carry others in it as well?"""

from __future__ import annotations

from collections.abc import Mapping

from editkit.evaluate.intervals import mean
from editkit.evaluate.neurons.overlap import top_of
from editkit.neuron import Neurons
from editkit.report import Value


def sharing(rankings: Mapping[str, Mapping[str, Neurons]], k: int) -> dict[str, Value]:
    """Of each concept, the share of its top k in a picture that is in another concept's top k there too.

    Pan et al. 2024 leave pictures with several objects open; the definition is ours: the share for one
    picture, averaged over all pictures in which the model named the concept beside others, with the bootstrap
    interval over those. Pictures with one named concept say nothing and are left out; a concept that was
    always alone has NaN and a count of 0.

    Args:
        rankings: picture -> concept named in it -> the neurons of that concept in that picture.

    Raises:
        UsageError: `k` is below 1.
    """
    shares: dict[str, list[float]] = {}
    for named in rankings.values():
        tops = {concept: top_of(ranking, k) for concept, ranking in named.items()}
        for concept, own in tops.items():
            found = shares.setdefault(concept, [])
            others = [top for name, top in tops.items() if name != concept]
            if others:
                found.append(len(own & frozenset().union(*others)) / max(1, len(own)))
    return {concept: mean(found) for concept, found in shares.items()}
