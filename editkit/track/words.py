"""The report in words: what a reviewer reads first, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from editkit.page import CaseSet, summary
from editkit.page.changes import changes, told
from editkit.page.chosen import chosen
from editkit.page.groups import groups
from editkit.report import Report, Row, Score, Value, WordChange

SHOWN_ROWS = 12
SHOWN_WORDS = 20
LONGEST_CELL = 160


def verdict_line(report: Report) -> str:
    """Accepted, or rejected and why."""
    word = "Accepted" if report.verdict.accepted else "Rejected"
    return f"**{word}.** {cell(summary.verdict(report), 1000)}"


def description(report: Report, labels: Mapping[int, str] | None = None, run_id: str | None = None) -> str:
    """The run's description: verdict, what was reached and what else moved, where to look, how to decide."""
    lines = [f"- asked for: {cell('; '.join((labels or {}).values()) or 'not recorded')}"]
    lines += [f"- reached: {cell(line)}" for line in summary.reached(report)]
    worse = [f"- became worse: {cell(line)}" for line in summary.moved(report)]
    lines += worse or ["- became worse: nothing that was measured, as far as the intervals tell"]
    if moved := [f"{cell(word.word, 40)} {word.before} to {word.after}" for word in summary.words(report)]:
        lines.append(f"- words in control answers: {', '.join(moved)}")
    lines += [f"- look at: {cell(line)}" for line in summary.look(report)]
    who = (run_id or "RUN_ID")[:12]
    return "\n\n".join(
        (
            verdict_line(report),
            "\n".join(lines),
            "Read `report.html` among the artifacts (or `report.md`), then `before_after.json`.",
            f'Then decide: `editkit review {who} --accept --note "why"`, or `--reject`.',
        )
    )


def report_markdown(
    report: Report,
    *,
    name: str,
    patch_file: str | None,
    recipe_digest: str,
    labels: Mapping[int, str],
    sets: Sequence[CaseSet] = (),
) -> str:
    """The whole report: verdict, scores, cases, notes, words, the worst answers, how to undo the edit."""
    parts = [f"# {cell(name)}", verdict_line(report), _criteria(report)]
    parts += ["## Scores", _reading()]
    for group in groups(report.scores):
        parts += [f"### {group.title}", group.about, _scores_table(group.scores, labels)]
    if not report.scores:
        parts.append("Nothing was measured.")
    parts += ["## Worst cases", _worst_cases(report.rows)]
    if report.words:
        parts += ["## Words", _words(report.words)]
    if report.counts:
        parts += ["## Cases", _table(("cases", "count"), [(k, str(v)) for k, v in report.counts.items()])]
    if sets:
        body = [(cell(one.name), one.role, str(one.count), f"`{one.digest}`") for one in sets]
        parts.append(_table(("data set", "role", "cases", "digest"), body))
    if report.details:
        parts += [
            "## Details",
            _table(("what", "value"), [(key, _number(value)) for key, value in report.details.items()]),
        ]
    if report.notes:
        parts += ["## Notes", "\n".join(f"- {cell(note, 1000)}" for note in report.notes)]
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
            *(cell(text or "") for text in (row.prompt, row.before, row.after)),
            cell(told(changes(row.before, row.after))),
            cell(row.wanted or ""),
        )
        for row in chosen(failed, SHOWN_ROWS, SHOWN_ROWS)
    ]
    table = _table(("role", "prompt", "before", "after", "changed", "wanted"), body)
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
