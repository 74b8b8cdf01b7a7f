"""What a reviewer is told first: sentences about a report, without any markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from editkit.page.groups import worsened
from editkit.page.numbers import number, whole
from editkit.report import Report, Score, WordChange

SURE: Final = 0.05
NAMED: Final = 6


def verdict(report: Report) -> str:
    """One sentence: accepted, or rejected and why."""
    if report.verdict.accepted:
        asked = len(report.verdict.criteria)
        return "Everything the recipe's accept asks for was reached." if asked else "Nothing was asked for."
    unmet = [
        f"{item.name} {number(item.reached) if item.reached is not None else 'not measured'}"
        f" where {item.asked} was asked"
        for item in report.verdict.criteria
        if not item.met
    ]
    why = "; ".join(report.verdict.reasons or unmet)
    return f"{why[:1].upper()}{why[1:].rstrip('.')}." if why else "What was asked for was not reached."


def what(report: Report, labels: Mapping[int, str], neurons: int) -> str:
    """The edits asked for, and how much of the model was changed."""
    asked = "; ".join(labels.values()) or "not recorded"
    return f"{asked} ({neurons} neuron{'' if neurons == 1 else 's'})" if neurons else asked


def reached(report: Report) -> tuple[str, ...]:
    """What the edit is for, each with its interval and the random control."""
    return tuple(
        _sentence(score, len(_edits(report)) > 1) for score in report.scores if score.group == "asked"
    )


def moved(report: Report) -> tuple[str, ...]:
    """What became worse beside it."""
    return tuple(_sentence(score, len(_edits(report)) > 1) for score in worsened(report))


def words(report: Report) -> tuple[WordChange, ...]:
    """The words that changed most surely among answers where nothing was to change."""
    return report.words[:NAMED]


def look(report: Report) -> Iterator[str]:
    """Where to look next, most telling first."""
    failed = [row for row in report.rows if not row.ok]
    if failed:
        parts = dict.fromkeys(row.part for row in failed)
        counts = ", ".join(f"{sum(row.part == part for row in failed)} {part}" for part in parts)
        yield f"{len(failed)} of {len(report.rows)} cases failed: {counts}"
    same = [score.name for score in report.scores if score.group == "asked" and score.beats_control is False]
    if same:
        names = ", ".join(dict.fromkeys(same))
        yield f"{names}: the same edit of random neurons did as well, so where it was made hardly counts"
    if report.scores and all(score.control is None for score in report.scores):
        yield "no random control was made: nothing tells how much choosing these neurons counted"
    sure = [word.word for word in report.words if word.q < SURE]
    if sure:
        yield f"{len(sure)} words surely changed in control answers: {', '.join(sure[:NAMED])}"


def _sentence(score: Score, several: bool) -> str:
    whose = f" of edit {score.edit}" if several and score.edit is not None else ""
    unit = "" if score.unit == "share" else f" {score.unit}"
    said = f"{score.name}{whose} {whole(score.after, score.unit)}{unit}"
    others = [
        f"{side} {number(value.value, score.unit)}"
        for side, value in (("before", score.before), ("random neurons", score.control))
        if value is not None
    ]
    return f"{said}, {', '.join(others)}" if others else said


def _edits(report: Report) -> set[int]:
    return {score.edit for score in report.scores if score.edit is not None}
