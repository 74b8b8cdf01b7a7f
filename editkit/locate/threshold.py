"""Automatic thresholds: what chance exceeds one time in so many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from editkit.locate.localizer import Scores


@dataclass(frozen=True)
class Threshold:
    """One stage of a filter for one edit.

    Attributes:
        value: neurons above it are kept.
        observed: every neuron's score, float32 `[n]`; `null` scores that chance gave, empty where the
            threshold was set by hand.
        quantile: the share of null scores below it, None where it was set by hand.
    """

    value: float
    observed: Tensor
    null: Tensor
    quantile: float | None


def flat(scores: Scores) -> Tensor:
    """All neurons of all matrices in their order, `[n]`."""
    return torch.cat([scores[key] for key in scores])


def threshold(observed: Scores, nulls: Sequence[Scores], quantile: float, by_hand: float | None) -> Threshold:
    """The quantile of the null scores of all neurons together, or what was set by hand."""
    seen = flat(observed)
    if by_hand is not None:
        return Threshold(by_hand, seen, torch.zeros(0), None)
    null = torch.cat([flat(one) for one in nulls])
    ordered = null.sort().values
    place = min(len(ordered) - 1, int(quantile * len(ordered)))
    return Threshold(float(ordered[place]), seen, null, quantile)
