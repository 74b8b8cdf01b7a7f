"""Drift: KL(before || after) for each position of what the unedited model said on control cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from editkit.evaluate.metric import Metric, Observation
from editkit.plan import Case, PlannedEdit


def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
    """Nats at every position, full vocabulary; control cases."""
    return seen.divergence if case.role == "control" else ()


DRIFT: Final = Metric("drift", values, per_edit=False, share=False, higher_is_better=False, unit="nats")
