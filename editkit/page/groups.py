"""Scores in the order of reading: did it work, what else moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from editkit.report import Report, Score

TITLES: Final = {
    "asked": ("Did it work", "What the edit is for, on cases that it was solved on and on others."),
    "kept": ("What else moved", "Answers that had nothing to do with the edit and should be as before."),
    "wording": ("Wording", "How alike answers stay in words and meaning, and to what people wrote."),
    "objects": ("Objects", "Objects that answers invent or leave out, and yes/no questions about them."),
    "writing": ("Language", "How well texts are read, and how varied answers are."),
    "probes": ("Asked in other ways", "Paraphrases, negations, and one modality alone."),
}


@dataclass(frozen=True)
class Group:
    """Scores that tell of the same."""

    name: str
    title: str
    about: str
    scores: tuple[Score, ...]


def groups(scores: Iterable[Score]) -> tuple[Group, ...]:
    """Groups that have scores; one that is new here stands last under its own name."""
    found: dict[str, list[Score]] = {name: [] for name in TITLES}
    for score in scores:
        found.setdefault(score.group, []).append(score)
    return tuple(
        Group(name, *TITLES.get(name, (name.capitalize(), "")), tuple(own))
        for name, own in found.items()
        if own
    )


def worsened(report: Report) -> tuple[Score, ...]:
    """Scores that the edit made worse: the old figure lies outside the new one's 95 % interval."""
    return tuple(score for score in report.scores if _worse(score))


def _worse(score: Score) -> bool:
    if score.before is None or score.group == "asked":
        return False
    old, new = score.before.value, score.after.interval
    return old > new.high if score.higher_is_better else old < new.low
