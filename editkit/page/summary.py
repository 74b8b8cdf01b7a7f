"""What a reviewer is told first: sentences about a report, without any markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from editkit.page.groups import worsened
from editkit.page.numbers import number, whole
from editkit.report import Report, Score, WordChange

SURE: Final = 0.05
NAMED: Final = 6
WORSE: Final = 6


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


def what(report: Report, labels: Mapping[int, str], neurons: int | None) -> str:
    """The edits asked for, and how much of the model was changed."""
    asked = "; ".join(labels.values()) or "not recorded"
    return asked if neurons is None else f"{asked} ({neurons} neuron{'' if neurons == 1 else 's'} changed)"


def reached(report: Report) -> tuple[str, ...]:
    """What the edit is for, each with its interval and the random control."""
    several = _several(report)
    return tuple(_sentence(score, several) for score in report.scores if score.group == "asked")


def moved(report: Report) -> tuple[str, ...]:
    """What became worse beside it: some of it, where that is much."""
    several, found = _several(report), worsened(report)
    told = [_sentence(score, several) for score in found[:WORSE]]
    if more := [_name(score, several) for score in found[WORSE:]]:
        told.append(f"{len(more)} more: {', '.join(more)}")
    return tuple(told)


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
    several = _several(report)
    if same := [
        _name(score, several)
        for score in report.scores
        if score.group == "asked" and score.beats_control is False
    ]:
        yield f"{', '.join(same)}: random neurons did as well, as far as so many cases tell"
    if report.scores and all(score.control is None for score in report.scores):
        yield "no random control was made: nothing tells how much choosing these neurons counted"
    sure = [word.word for word in report.words if word.q < SURE]
    if sure:
        yield f"{len(sure)} words surely changed in control answers: {', '.join(sure[:NAMED])}"


def _sentence(score: Score, several: bool) -> str:
    unit = "" if score.unit == "share" else f" {score.unit}"
    said = f"{_name(score, several)} {whole(score.after, score.unit)}{unit}"
    others = [
        f"{side} {number(value.value, score.unit)}"
        for side, value in (("before", score.before), ("random neurons", score.control))
        if value is not None
    ]
    return f"{said}, {', '.join(others)}" if others else said


def _name(score: Score, several: bool) -> str:
    return f"{score.name} of edit {score.edit}" if several and score.edit is not None else score.name


def _several(report: Report) -> bool:
    return len({score.edit for score in report.scores if score.edit is not None}) > 1
