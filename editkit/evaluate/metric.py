"""What a metric is: a pure function of one case and what was observed on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from editkit.plan import Case, PlannedEdit


@dataclass(frozen=True)
class Observation:
    """What one model said to one case (y), and KL(before || this model) at each position of y0, in nats."""

    text: str
    divergence: tuple[float, ...] = ()


@dataclass(frozen=True)
class Metric:
    """A metric of one name.

    Attributes:
        values: figures of one case under one edit, or of the whole recipe (edit None): [] where it does not
            count there. All figures of all cases are averaged.
        per_edit: scored for each edit by itself.
        share: whether each figure is 0 or 1.
        parts: names of the parts that are scored apart, beside the name itself (`locality_near`).
    """

    name: str
    values: Callable[[Case, Observation, PlannedEdit | None], Sequence[float]]
    per_edit: bool = True
    share: bool = True
    higher_is_better: bool = True
    unit: str = "share"
    parts: Callable[[Case], str] | None = None

    def part(self, case: Case) -> str:
        """The score a case counts for: the metric's own name, or that of a part."""
        suffix = self.parts(case) if self.parts is not None else ""
        return f"{self.name}_{suffix}" if suffix else self.name
