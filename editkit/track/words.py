"""The report in words: what a reviewer reads first, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from editkit.report import Report, Row, Score, Value, WordChange
from editkit.track.values import worst

SHOWN_ROWS = 12
SHOWN_WORDS = 20
LONGEST_CELL = 160


def verdict_line(report: Report) -> str:
    """One sentence: accepted, or rejected and why."""
    if report.verdict.accepted:
        return "**Accepted.** Everything `accept` asks for was reached."
    unmet = [
        f"{item.name} {_number(item.reached)} where {item.asked} was asked"
        for item in report.verdict.criteria
        if not item.met
    ]
    why = "; ".join(cell(reason) for reason in report.verdict.reasons or unmet)
    return f"**Rejected.** {why.rstrip('.')}." if why else "**Rejected.**"


def description(report: Report) -> str:
    """The run's description: the verdict, the deciding figures, where to read on."""
    return "\n\n".join(
        (
            verdict_line(report),
            _scores_table(worst(report), {}),
            "Read `report.md` among the artifacts first, then the before/after table.",
        )
    )


def report_markdown(
    report: Report, *, name: str, patch_file: str | None, recipe_digest: str, labels: Mapping[int, str]
) -> str:
    """The whole report: verdict, scores, counts, notes, the worst cases, and how to undo the edit."""
    parts = [f"# {cell(name)}", verdict_line(report), _criteria(report)]
    parts += ["## Scores", _scores_table(report.scores, labels), _reading()]
    if report.counts:
        parts += ["## Cases", _table(("role", "cases"), [(k, str(v)) for k, v in report.counts.items()])]
    if report.details:
        parts += [
            "## Details",
            _table(("what", "value"), [(key, _number(value)) for key, value in report.details.items()]),
        ]
    if report.notes:
        parts += ["## Notes", "\n".join(f"- {cell(note, 1000)}" for note in report.notes)]
    if report.words:
        parts += ["## Words", _words(report.words)]
    parts += ["## Worst cases", _worst_cases(report.rows)]
    if patch_file is not None:
        parts += ["## How to undo", _undo(patch_file)]
    parts.append(f"Recipe digest `{recipe_digest}`.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _criteria(report: Report) -> str:
    rows = [
        (item.name, cell(item.asked), _number(item.reached), "yes" if item.met else "**no**")
        for item in report.verdict.criteria
    ]
    return _table(("asked of", "asked", "reached", "met"), rows) if rows else ""


def _scores_table(scores: Iterable[Score], labels: Mapping[int, str]) -> str:
    scores = tuple(scores)
    if not scores:
        return "Nothing was measured."
    rows = [
        (
            score.name if score.higher_is_better else f"{score.name} (lower is better)",
            "all" if score.edit is None else cell(labels.get(score.edit, str(score.edit))),
            _value(score.before),
            f"**{_value(score.after)}**",
            _value(score.control),
            _value(score.difference, signed=True),
            "" if score.unit == "share" else cell(score.unit),
        )
        for score in scores
    ]
    head = ("metric", "edit", "before", "after", "control", "after minus control", "unit")
    return _table(head, rows)


def _reading() -> str:
    return (
        "Brackets hold 95 % intervals, n counts the cases. *Control* is the same edit made on as many random "
        "neurons: where the interval of the difference holds 0, choosing the neurons made no difference."
    )


def _worst_cases(rows: Sequence[Row]) -> str:
    failed = [row for row in rows if not row.ok]
    if not rows:
        return "No cases were kept."
    if not failed:
        return f"None of {len(rows)} cases failed."
    body = [
        (
            row.part,
            *(cell(text or "") for text in (row.prompt, row.before, row.after, row.wanted)),
        )
        for row in failed[:SHOWN_ROWS]
    ]
    table = _table(("role", "prompt", "before", "after", "wanted"), body)
    return f"{len(failed)} of {len(rows)} cases failed.\n\n{table}"


def _words(words: Sequence[WordChange]) -> str:
    """Those that moved most surely among control answers."""
    rows = [
        (
            cell(one.word),
            str(one.before),
            str(one.after),
            "" if one.control is None else str(one.control),
            str(one.more),
            str(one.fewer),
            _number(one.q),
        )
        for one in words[:SHOWN_WORDS]
    ]
    head = ("word", "before", "after", "control", "answers with more", "answers with fewer", "q")
    said = f"{len(words)} words are said more or less often in answers to control cases than before."
    return f"{said} q is the false discovery rate at which a word would count.\n\n{_table(head, rows)}"


def _undo(patch_file: str) -> str:
    return (
        f"The base model was not changed: load it without `patch/{patch_file}` and the edit is gone. "
        "The patch holds the original rows of every weight it touches, so a model it was written into "
        "can be set back bit for bit:\n\n"
        "```python\n"
        "from editkit import Patch, undo_patch\n\n"
        f'undo_patch(model, Patch.load("{patch_file}"))\n'
        "```"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _value(value: Value | None, signed: bool = False) -> str:
    if value is None:
        return ""
    low, high = _number(value.interval.low), _number(value.interval.high)
    middle = f"{value.value:+.3g}" if signed else _number(value.value)
    return f"{middle} [{low}, {high}], n={value.count}"


def _number(value: float | None) -> str:
    if value is None:
        return "nothing measured"
    return f"{value:.3f}" if 0.0005 <= abs(value) < 1000 or value == 0 else f"{value:.2e}"


def cell(text: str, longest: int = LONGEST_CELL) -> str:
    """Text of the model or the user as one plain table cell: no markup of its own."""
    line = " ".join(text.split())
    if len(line) > longest:
        line = line[: longest - 1] + "…"
    return re.sub(r"([\\`*_{}\[\]<#|~&!])", r"\\\1", line)
