"""Scores -> a ranking of neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor

from editkit.neuron import Neuron, Neurons


def ranked(scores: Mapping[int, Tensor], top: int | Literal["all"], method: str) -> Neurons:
    """The `top` neurons of all layers by signed score, highest first; ties go to the lower layer and index.

    Args:
        scores: layer -> `[d_mlp]`.
    """
    layers = sorted(scores)
    flat = [
        (float(value), layer, index) for layer in layers for index, value in enumerate(scores[layer].tolist())
    ]
    flat.sort(key=lambda item: (-item[0], item[1], item[2]))
    kept = flat if top == "all" else flat[:top]
    return Neurons(
        tuple(Neuron(layer, index) for _, layer, index in kept), tuple(value for value, _, _ in kept), method
    )


def united(parts: Sequence[Neurons]) -> Neurons:
    """The neurons of several edits together; one that several share is one row, with its best score."""
    best: dict[Neuron, float] = {}
    for part in parts:
        for neuron, score in zip(part.items, part.scores, strict=True):
            best[neuron] = max(score, best.get(neuron, score))
    order = sorted(best, key=lambda neuron: (-best[neuron], neuron.layer, neuron.expert or 0, neuron.index))
    return Neurons(tuple(order), tuple(best[neuron] for neuron in order), parts[0].method)
