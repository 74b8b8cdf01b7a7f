"""A report for people: one table, the verdict, and where things are."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from editkit.report import Report, Score, Value, Verdict


def figure(value: Value | None, unit: str = "share") -> str:
    """`0.985 [0.961, 0.994]`; shares with three decimals, others with three digits."""
    if value is None:
        return "-"
    form = ".3f" if unit == "share" else ".3g"
    low, high = value.interval.low, value.interval.high
    return f"{value.value:{form}} [{low:{form}}, {high:{form}}]"


def scores_table(report: Report) -> Table:
    """metric | before | after | control, each with its 95 % interval, and how many cases."""
    table = Table(caption="95 % intervals; control: the same edit of random neurons", caption_justify="left")
    table.add_column("metric")
    for name in ("before", "after", "control"):
        table.add_column(name, justify="right")
    table.add_column("beats control")
    table.add_column("cases", justify="right")
    several = len({score.edit for score in report.scores if score.edit is not None}) > 1
    for score in report.scores:
        table.add_row(
            _label(score, several),
            figure(score.before, score.unit),
            figure(score.after, score.unit),
            figure(score.control, score.unit),
            {True: "yes", False: "no", None: "-"}[score.beats_control],
            str(score.after.count),
        )
    return table


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
