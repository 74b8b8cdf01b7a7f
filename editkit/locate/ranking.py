"""Scores -> a ranking of neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from editkit.neuron import MatrixKey, Neuron, Neurons, in_order


def ranked(scores: Mapping[MatrixKey, Tensor], top: int | Literal["all"], method: str) -> Neurons:
    """The `top` neurons of all layers by signed score, highest first; ties go to the lower layer and index.

    Neurons that a method ruled out, with a score of -inf, are left out: there may be fewer than `top`.

    Args:
        scores: one `[d_mlp]` for every W_out.
    """
    keys = sorted(scores, key=in_order)
    flat = torch.cat([scores[key].cpu() for key in keys])
    order = flat.sort(descending=True, stable=True).indices[: None if top == "all" else top]
    order = order[flat[order] > -torch.inf]
    starts = torch.tensor([0, *(len(scores[key]) for key in keys)]).cumsum(0)
    owners = torch.searchsorted(starts, order, right=True) - 1
    items = tuple(
        Neuron(keys[owner][0], index, keys[owner][1])
        for owner, index in zip(owners.tolist(), (order - starts[owners]).tolist(), strict=True)
    )
    return Neurons(items, tuple(flat[order].tolist()), method)


def united(parts: Sequence[Neurons]) -> Neurons:
    """The neurons of several edits together; one that several share is one row, with its best score."""
    best: dict[Neuron, float] = {}
    for part in parts:
        for neuron, score in zip(part.items, part.scores, strict=True):
            best[neuron] = max(score, best.get(neuron, score))
    order = sorted(best, key=lambda neuron: (-best[neuron], *in_order(neuron.matrix), neuron.index))
    return Neurons(tuple(order), tuple(best[neuron] for neuron in order), parts[0].method)
