"""A report for people: one table, the verdict, and where things are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from editkit.report import Report, Score, Value, Verdict

# What an edit is judged by has a table with every interval; of what else moved there is one line a score.
DECIDING: Final = ("asked", "kept")
TITLES: Final = {
    "wording": "Wording of answers, and likeness to what people wrote",
    "objects": "Objects: invented, missed, asked about",
    "writing": "Writing: perplexity of texts, fluency of answers",
    "probes": "Probes: asked in other words, denied, by one modality",
}
WORDS: Final = 10


def figure(value: Value | None, unit: str = "share") -> str:
    """`0.985 [0.961, 0.994]`; shares with three decimals, others with three digits."""
    if value is None:
        return "-"
    form = ".3f" if unit == "share" else ".3g"
    low, high = value.interval.low, value.interval.high
    return f"{value.value:{form}} [{low:{form}}, {high:{form}}]"


def scores_table(report: Report) -> Table:
    """metric | before | after | control, each with its 95 % interval, and how many cases."""
    caption = "95 % intervals; control: the same edit of random neurons"
    table = Table(caption=caption if _controlled(report) else "95 % intervals", caption_justify="left")
    table.add_column("metric", no_wrap=True)
    for name in _moments(report):
        table.add_column(name, justify="right")
    if _controlled(report):
        table.add_column("beats control")
    table.add_column("cases", justify="right")
    several = _several(report.scores)
    for score in report.scores:
        if score.group in DECIDING:
            cells = [figure(value, score.unit) for value in _values(report, score)]
            table.add_row(_label(score, several), *cells, *_beats(report, score), str(score.after.count))
    return table


def side_tables(report: Report) -> Iterator[Table]:
    """metric | before | after with its interval | control, a table for each sort of side effect."""
    several = _several(report.scores)
    for group in dict.fromkeys(score.group for score in report.scores):
        if group in DECIDING:
            continue
        table = Table(title=TITLES.get(group, group), title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("metric", no_wrap=True)
        for name in _moments(report):
            table.add_column(name, justify="right", no_wrap=True)
        if _controlled(report):
            table.add_column("beats it")
        for score in report.scores:
            if score.group == group:
                first, after, *rest = _values(report, score)
                cells = (_number(first, score.unit), figure(after, score.unit))
                control = (_number(value, score.unit) for value in rest)
                table.add_row(_label(score, several), *cells, *control, *_beats(report, score))
        yield table


def words_table(report: Report) -> Table:
    """The words that moved most surely where nothing was to change."""
    control = any(word.control is not None for word in report.words)
    title = f"Words that control answers say more or less often ({len(report.words)})"
    table = Table("word", title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("before", "after", *(("control",) if control else ()), "gained", "lost", "q"):
        table.add_column(name, justify="right")
    for word in report.words[:WORDS]:
        rival = (str(word.control),) if control else ()
        counts = (str(word.before), str(word.after), *rival, str(word.more), str(word.fewer))
        table.add_row(Text(word.word), *counts, f"{word.q:.3g}")
    return table


def shown(report: Report) -> Iterator[Table | Text]:
    """All there is to see of a report: side effects first, since the eye rests on what comes last."""
    if report.words:
        yield words_table(report)
    yield from side_tables(report)
    yield scores_table(report)
    yield from verdict_lines(report.verdict)


def differences_table(differences: Sequence[Score]) -> Table:
    """metric | this | other | this minus other with its interval."""
    table = Table(title="This minus the other, case by case", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("metric", "this", "other", "difference"):
        table.add_column(name, justify="left" if name == "metric" else "right")
    several = _several(differences)
    for score in differences:
        table.add_row(
            _label(score, several),
            _number(score.after, score.unit),
            _number(score.control, score.unit),
            figure(score.difference, score.unit),
        )
    return table


def document(report: Report) -> dict[str, Any]:
    """Everything of a report but its rows, as plain data."""
    return {
        "scores": report.table(),
        "intervals": {
            name: {
                moment: None if value is None else [value.interval.low, value.interval.high, value.count]
                for moment, value in (
                    ("before", score.before),
                    ("after", score.after),
                    ("control", score.control),
                    ("difference", score.difference),
                )
            }
            for name, score in zip(report.table(), report.scores, strict=True)
        },
        "words": [vars(word) for word in report.words],
        "cases": dict(report.counts),
        "details": dict(report.details),
        "notes": list(report.notes),
        "reasons": list(report.verdict.reasons),
    }


def _controlled(report: Report) -> bool:
    return any(score.control is not None for score in report.scores)


def _moments(report: Report) -> tuple[str, ...]:
    return ("before", "after", *(("control",) if _controlled(report) else ()))


def _values(report: Report, score: Score) -> tuple[Value | None, ...]:
    return (score.before, score.after, *((score.control,) if _controlled(report) else ()))


def _beats(report: Report, score: Score) -> tuple[str, ...]:
    word = {True: "yes", False: "no", None: "-"}[score.beats_control]
    return (word,) if _controlled(report) else ()


def _several(scores: Sequence[Score]) -> bool:
    return len({score.edit for score in scores if score.edit is not None}) > 1


def _number(value: Value | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value.value:{'.3f' if unit == 'share' else '.3g'}}"


def _label(score: Score, several: bool) -> str:
    label = score.name if score.unit == "share" else f"{score.name} ({score.unit})"
    return f"edits[{score.edit}].{label}" if several and score.edit is not None else label


def verdict_lines(verdict: Verdict) -> Iterator[Text]:
    """Accepted or rejected, what was met, and every reason why not."""
    word = "accepted" if verdict.accepted else "rejected"
    yield Text(word, style="bold green" if verdict.accepted else "bold red")
    for one in verdict.criteria:
        if one.met and one.reached is not None:
            yield Text(f"  {one.name} is {one.reached:.3f}, asked for {one.asked}")
    for reason in verdict.reasons:
        yield Text(f"  {reason}")
