"""What a metric is: a pure function of one case and what was observed on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from editkit.plan import Case, PlannedEdit


@dataclass(frozen=True)
class Observation:
    """What one model said to one case (y).

    Attributes:
        divergence: KL(before || this model) at each position of y0, in nats.
        nats: how surprised it is by each token of a text that it reads (-log p).
        alike: likeness by models that read, by the metric's name: see `likeness`.
    """

    text: str
    divergence: tuple[float, ...] = ()
    nats: tuple[float, ...] = ()
    alike: Mapping[str, float] = field(default_factory=dict)


Group = Literal["asked", "kept", "wording", "writing", "objects", "probes"]
Figures = Sequence[float] | Sequence[Sequence[float]]


@dataclass(frozen=True)
class Metric:
    """A metric of one name.

    Attributes:
        values: figures of one case under one edit, or of the whole recipe (edit None): [] where it does not
            count there. All figures of all cases are averaged.
        pool: for what is no mean over cases, such as F1 or perplexity: `values` then gives one tuple of
            counts for a case, and this makes the figure out of their sums over cases; NaN where they allow
            none.
        group: what it tells of; scores of one group are shown together.
        per_edit: scored for each edit by itself.
        share: whether each figure is 0 or 1.
        parts: names of the parts that are scored apart, beside the name itself (`locality_near`).
        row: when a single case is fine, of a metric that is a share: at its best, no worse than before the
            edit, or in any case.
    """

    name: str
    values: Callable[[Case, Observation, PlannedEdit | None], Figures]
    per_edit: bool = True
    share: bool = True
    higher_is_better: bool = True
    unit: str = "share"
    parts: Callable[[Case], str] | None = None
    pool: Callable[[Sequence[float]], float] | None = None
    group: Group = "kept"
    row: Literal["best", "no worse", "any"] = "best"

    def part(self, case: Case) -> str:
        """The score a case counts for: the metric's own name, or that of a part."""
        suffix = self.parts(case) if self.parts is not None else ""
        return f"{self.name}_{suffix}" if suffix else self.name
