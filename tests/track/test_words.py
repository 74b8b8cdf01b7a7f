"""The report reads well, and nothing in it can break out of its table."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.page import CaseSet
from editkit.report import Criterion, Report, Row, Verdict
from editkit.track.words import description, report_markdown


def written(report: Report) -> str:
    return report_markdown(
        report,
        name="redact",
        patch_file="redact.editkit.safetensors",
        recipe_digest="abc",
        labels={0: "lose it"},
    )


def test_the_verdict_comes_first(report: Report, rejected: Report) -> None:
    assert written(report).splitlines()[2].startswith("**Accepted.**")
    line = written(rejected).splitlines()[2]
    assert line == "**Rejected.** Efficacy is 0.5, and at least 0.95 was asked."


def test_a_rejection_without_reasons_names_what_was_not_met(rejected: Report) -> None:
    bare = replace(rejected, verdict=replace(rejected.verdict, reasons=()))
    assert "**Rejected.** Efficacy 0.500 where >= 0.95 was asked." in written(bare)


def test_nothing_measured_is_said(report: Report) -> None:
    verdict = Verdict(False, (Criterion("locality", ">= 0.98", None, False),))
    assert "not measured" not in written(report)
    assert "Locality not measured where" in written(replace(report, verdict=verdict))


def test_scores_stand_before_after_and_beside_the_control(report: Report) -> None:
    row = next(line for line in written(report).splitlines() if line.startswith("| efficacy | lose it"))
    assert "| 0.000 [-0.050, 0.050], n=40 | **0.970 [0.920, 1.020], n=40** | 0.100 [0.050, 0.150]" in row
    assert "| +0.87 [0.820, 0.920]" in row
    assert "drift (lower is better)" in written(report)


def test_only_failures_are_worst_cases(report: Report) -> None:
    text = written(report)
    assert "1 of 2 cases failed." in text
    assert text.count("| held_out | Say it. |") == 1
    assert "None of 1 cases failed." in written(replace(report, rows=report.rows[:1]))
    assert "No cases were kept." in written(replace(report, rows=()))


def test_undo_is_runnable_python(report: Report) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", written(report), re.DOTALL)
    compile(code, "report.md", "exec")
    assert 'Patch.load("redact.editkit.safetensors")' in code


def test_the_description_says_what_to_know_and_how_to_decide(report: Report) -> None:
    text = description(report, {0: "lose it"}, "0123456789abcdef")
    lines = text.splitlines()
    assert lines[0].startswith("**Accepted.**")
    assert lines[2] == "- asked for: lose it"
    assert r"- reached: efficacy 0.970 \[0.920, 1.020\], before 0.000, random neurons 0.100" in lines
    assert any(line.startswith("- became worse: ") for line in lines)
    assert "- look at: 1 of 2 cases failed: 1 held\\_out" in lines
    assert "editkit review 0123456789ab --accept" in lines[-1]
    assert "editkit review RUN_ID" in description(report)


def test_scores_stand_in_groups(report: Report) -> None:
    text = written(report)
    titles = [line for line in text.splitlines() if line.startswith("### ")]
    assert titles == ["### Did it work", "### What else moved"]
    assert text.index("| efficacy |") < text.index("### What else moved") < text.index("| drift")


def test_data_sets_stand_with_their_digests(report: Report) -> None:
    sets = [CaseSet("control-cases", "control", 4, "0123456789abcdef")]
    text = report_markdown(report, name="a", patch_file=None, recipe_digest="b", labels={}, sets=sets)
    assert "| control-cases | control | 4 | `0123456789abcdef` |" in text


@pytest.mark.parametrize(
    "said", ["a | b\n| c", "<img src=x onerror=alert(1)>", "![x](http://y)", "`a` **b** [c](d)"]
)
def test_markup_is_taken_from_what_the_model_says(report: Report, said: str) -> None:
    plain = re.sub(r"\\[^\w\s]", "", _case_row(report, said))
    assert not re.search(r"[<`*\[\]!]", plain)


@given(said=st.text())
def test_a_row_has_six_cells_whatever_the_model_says(said: str) -> None:
    report = Report((), Verdict(True, ()), {})
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", _case_row(report, said))) == 7


def _case_row(report: Report, said: str) -> str:
    row = Row("c", "control", None, "Say it.", (), "fine", said, None, None, True, False)
    text = written(replace(report, rows=(row,)))
    return next(line for line in text.splitlines() if line.startswith("| control (near) |"))
