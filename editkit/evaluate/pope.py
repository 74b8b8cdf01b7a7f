"""POPE: yes/no questions about objects that are in a picture and about objects that are not.

An answer that says neither yes nor no counts as no, for it affirms nothing, and is counted apart
(`pope_unclear`). The published scripts count whatever holds no `no` and no `not` as yes; where every answer
says one of the two, these figures are the same as theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Literal

from editkit.evaluate.metric import Figures, Metric, Observation
from editkit.plan import Case, PlannedEdit

SUITE: Final = "pope_"
WORDS: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
DENIALS: Final = frozenset({"no", "not", "none", "cannot", "nothing"})


def answered(said: str) -> bool | None:
    """Yes or no: the word at the start, else what the first sentence says; None where it says neither."""
    words = WORDS.findall(re.split(r"[.!?\n]", said.strip().lower(), maxsplit=1)[0])
    first = str(words[0]) if words else ""
    if first in ("yes", "no"):
        return first == "yes"
    if any(word in DENIALS or word.endswith(("n't", "n\u2019t")) for word in words):
        return False
    return True if "yes" in words or words[:2] in (["there", "is"], ["there", "are"]) else None


def part(case: Case) -> str:
    """How the absent objects were chosen: random, popular, adversarial."""
    suite = case.suite or ""
    return suite.removeprefix(SUITE) if suite.startswith(SUITE) else ""


def counts(case: Case, seen: Observation, edit: PlannedEdit | None = None) -> Sequence[tuple[float, ...]]:
    """One of (true yes, false yes, false no, true no) is 1; nothing for what is no such question."""
    right = case.known.answer
    if right is None or not part(case):
        return ()
    yes = answered(seen.text) is True
    kinds = (yes and right, yes and not right, right and not yes, not right and not yes)
    return (tuple(map(float, kinds)),)


def precision(sums: Sequence[float]) -> float:
    hits, false_yes, _, _ = sums
    return _share(hits, hits + false_yes)


def f1(sums: Sequence[float]) -> float:
    hits, false_yes, false_no, _ = sums
    return _share(2 * hits, 2 * hits + false_yes + false_no)


def _share(some: float, whole: float) -> float:
    return float(some) / float(whole) if whole else float("nan")


def _unclear(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
    return [float(answered(seen.text) is None) for _ in counts(case, seen)]


def _right(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
    return [hit + denied for hit, _, _, denied in counts(case, seen)]


def _recalled(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
    return [hit for hit, _, false_no, _ in counts(case, seen) if hit + false_no]


def _yes(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
    return [hit + false_yes for hit, false_yes, _, _ in counts(case, seen)]


def _metric(
    name: str,
    values: Callable[[Case, Observation, PlannedEdit | None], Figures],
    pool: Callable[[Sequence[float]], float] | None = None,
    higher_is_better: bool = True,
    row: Literal["no worse", "any"] = "any",
) -> Metric:
    return Metric(
        name,
        values,
        per_edit=False,
        higher_is_better=higher_is_better,
        parts=part,
        pool=pool,
        group="objects",
        row=row,
    )


POPE_ACCURACY: Final = _metric("pope_accuracy", _right, row="no worse")
POPE_PRECISION: Final = _metric("pope_precision", counts, precision)
POPE_RECALL: Final = _metric("pope_recall", _recalled)
POPE_F1: Final = _metric("pope_f1", counts, f1)
# Half of the questions are to be denied, and models that invent objects say yes too often.
POPE_YES: Final = _metric("pope_yes", _yes, higher_is_better=False)
POPE_UNCLEAR: Final = _metric("pope_unclear", _unclear, higher_is_better=False)
