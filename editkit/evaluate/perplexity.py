"""Perplexity: how surprised a model is by texts that have nothing to do with the edit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from editkit.evaluate.metric import Metric, Observation
from editkit.plan import Case, PlannedEdit


def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[Sequence[float]]:
    """(nats, tokens) of a text."""
    return ((math.fsum(seen.nats), len(seen.nats)),) if case.nats is not None else ()


def ratios(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[Sequence[float]]:
    """(nats beyond those of the unedited model, tokens) of a text."""
    if case.nats is None:
        return ()
    return ((math.fsum(seen.nats) - math.fsum(case.nats), len(seen.nats)),)


def pool(sums: Sequence[float]) -> float:
    """exp(nats / tokens): infinite rather than an error where it is too large for a number."""
    nats, tokens = sums
    try:
        return math.exp(nats / tokens)
    except OverflowError:
        return math.inf


PERPLEXITY: Final = Metric(
    "perplexity",
    values,
    per_edit=False,
    share=False,
    higher_is_better=False,
    unit="per token",
    pool=pool,
    group="writing",
)
PERPLEXITY_RATIO: Final = Metric(
    "perplexity_ratio",
    ratios,
    per_edit=False,
    share=False,
    higher_is_better=False,
    unit="after / before",
    pool=pool,
    group="writing",
)
