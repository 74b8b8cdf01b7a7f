"""Locality: control cases answer exactly as before; near ones and a rewrite's neighbours apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from editkit.evaluate.metric import Metric, Observation
from editkit.plan import Case, PlannedEdit, collapsed


def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
    """1 where the answer is what the unedited model said, white space collapsed; control cases."""
    if case.role != "control":
        return ()
    return (float(collapsed(seen.text) == collapsed(case.said)),)


def part(case: Case) -> str:
    return "near" if case.near else "neighbors" if case.probe == "neighbor" else ""


LOCALITY: Final = Metric("locality", values, per_edit=False, parts=part)
