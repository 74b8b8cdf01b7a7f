"""Counterfactual accuracy: the new output is the wanted one, and nothing else changed in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from editkit.evaluate.metric import Metric, Observation
from editkit.plan import Case, PlannedEdit, collapsed


def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
    """1 where the answer is exactly the counterfactual one; edit and held-out cases."""
    if edit is None or case.wanted is None or edit.number not in case.edits:
        return ()
    return (float(collapsed(seen.text) == collapsed(case.wanted.text)),)


COUNTERFACTUAL: Final = Metric("counterfactual", values, group="asked", row="any")
