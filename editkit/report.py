"""What an edit did: scores before and after and beside the random control, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Value:
    """One measured figure: its 95 % interval and how many cases it is of."""

    value: float
    interval: Interval
    count: int


@dataclass(frozen=True)
class Score:
    """One metric, before the edit, after it, and after the same edit of random neurons.

    `difference` is the paired difference after minus control; when its interval excludes 0, the edit and
    the control really differ. `edit` is the number of the edit it belongs to, None for the whole recipe.
    `group` says what it tells of (`Metric.group`), `of` which roles or suites its cases have.
    """

    name: str
    after: Value
    before: Value | None = None
    control: Value | None = None
    difference: Value | None = None
    edit: int | None = None
    higher_is_better: bool = True
    unit: str = "share"
    group: str = "kept"
    of: tuple[str, ...] = ()

    @property
    def goodness(self) -> float:
        """Larger is better, whatever the figure means; no figure is the worst."""
        value = self.after.value
        return -math.inf if math.isnan(value) else value if self.higher_is_better else -value

    @property
    def beats_control(self) -> bool | None:
        """Whether the 95 % interval of the paired difference excludes 0 on the better side."""
        if self.difference is None:
            return None
        if self.higher_is_better:
            return self.difference.interval.low > 0
        return self.difference.interval.high < 0


@dataclass(frozen=True)
class Criterion:
    """One line of `accept`, and what was reached by the worst edit."""

    name: str
    asked: str
    reached: float | None
    met: bool


@dataclass(frozen=True)
class Verdict:
    """Whether the edit is accepted, and every reason why not."""

    accepted: bool
    criteria: tuple[Criterion, ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """What the model says to one case, before, after and with the control's edit.

    `drift` is the mean KL(before || after) over the old answer, in nats, where it was measured.
    """

    case: str
    role: str
    edit: int | None
    prompt: str
    images: tuple[str, ...]
    before: str
    after: str
    control: str | None
    wanted: str | None
    near: bool
    ok: bool
    suite: str | None = None
    drift: float | None = None

    @property
    def part(self) -> str:
        """What it is there for, in words: `control (near)`, `side (negation)`."""
        more = self.suite if self.suite is not None else "near" if self.near else ""
        return f"{self.role} ({more})" if more else self.role


@dataclass(frozen=True)
class WordChange:
    """A word that became more or less frequent in what is said to control cases.

    Attributes:
        before: how often it is said in all answers of the unedited model; `after` and `control` likewise.
        more: cases whose answers say it more often than before; `fewer` those that say it less often.
        p: of the exact sign test on those two.
        q: p with the false discovery rate over all changed words held (Benjamini and Hochberg).
    """

    word: str
    before: int
    after: int
    control: int | None
    more: int
    fewer: int
    p: float
    q: float


@dataclass(frozen=True)
class Report:
    """Everything a reviewer needs of one run."""

    scores: tuple[Score, ...]
    verdict: Verdict
    counts: Mapping[str, int]
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    details: Mapping[str, float] = field(default_factory=dict)
    words: tuple[WordChange, ...] = ()

    def score(self, name: str, edit: int | None = None) -> Score:
        """The score of that name; without `edit`, the worst of the edits.

        Raises:
            KeyError: nothing of that name was measured.
        """
        found = [score for score in self.scores if score.name == name and edit in (None, score.edit)]
        if not found:
            raise KeyError(name)
        return min(found, key=lambda score: score.goodness)

    def figures(self, edit: int | None = None) -> dict[str, float]:
        """`efficacy/after` -> value, of one edit or (None) of the whole recipe."""
        return {
            f"{score.name}/{moment}": value.value
            for score in self.scores
            if score.edit == edit
            for moment, value in (
                ("before", score.before),
                ("after", score.after),
                ("control", score.control),
            )
            if value is not None
        }

    def table(self) -> dict[str, dict[str, float | None]]:
        """`efficacy` (`edits[1].efficacy` where there are several edits) -> before, after, control."""
        several = len({score.edit for score in self.scores if score.edit is not None}) > 1
        return {
            f"edits[{score.edit}].{score.name}" if several and score.edit is not None else score.name: {
                moment: None if value is None else value.value
                for moment, value in (
                    ("before", score.before),
                    ("after", score.after),
                    ("control", score.control),
                )
            }
            for score in self.scores
        }
