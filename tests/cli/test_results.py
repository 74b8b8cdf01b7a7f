from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from editkit.cli.apply import _document, _show
from editkit.cli.output import Output
from editkit.cli.results import figure, scores_table, shown, side_tables, verdict_lines, words_table
from editkit.neuron import Neuron, Neurons
from editkit.outcome import Applied
from editkit.recipe import parse_recipe
from editkit.report import Criterion, Interval, Report, Score, Value, Verdict, WordChange

RECIPE = parse_recipe("version: 1\nname: a\nmodel: x\nprobe: {prompts: [p]}\nedits: [{suppress: gun}]\n")


def value(number: float, count: int = 40) -> Value:
    return Value(number, Interval(number - 0.01, number + 0.01), count)


def report(accepted: bool = True) -> Report:
    scores = (
        Score("efficacy", value(0.98), value(0.0), value(0.31), value(0.67), edit=0),
        Score("efficacy", value(0.9), value(0.0), None, None, edit=1),
        Score("drift", value(0.00123), None, value(0.5), value(0.01), higher_is_better=False, unit="nats"),
    )
    criteria = (Criterion("efficacy", ">= 0.95", 0.98, True), Criterion("locality", ">= 0.98", None, False))
    reasons = () if accepted else ("locality was not measured",)
    return Report(scores, Verdict(accepted, criteria, reasons), {"edit": 3})


def applied(accepted: bool = True) -> Applied:
    neurons = Neurons((Neuron(1, 2), Neuron(0, 7)), (0.5, float("nan")), "contribution")
    patch_path = Path("a.editkit.safetensors")
    return Applied(RECIPE, "x", neurons, report(accepted), patch_path, None, "r1", "editkit", {"locate": 1.5})  # type: ignore[arg-type]


def drawn(*renderables: RenderableType) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=140, color_system=None)
    for renderable in renderables:
        console.print(renderable)
    return stream.getvalue()


def test_figures() -> None:
    assert figure(value(0.5)) == "0.500 [0.490, 0.510]"
    assert figure(Value(0.001234, Interval(0.0011, 0.0014), 3), "nats") == "0.00123 [0.0011, 0.0014]"
    assert figure(None) == "-"


def test_the_table_has_before_after_and_control() -> None:
    lines = [line for line in drawn(scores_table(report())).splitlines() if "[" in line]
    assert [part.strip() for part in lines[0].split("│")[1:-1]] == [
        "edits[0].efficacy",
        "0.000 [-0.010, 0.010]",
        "0.980 [0.970, 0.990]",
        "0.310 [0.300, 0.320]",
        "yes",
        "40",
    ]
    assert "edits[1].efficacy" in lines[1]
    assert "drift (nats)" in lines[2]
    assert " no " in lines[2]


@pytest.mark.parametrize(("accepted", "word"), [(True, "accepted"), (False, "rejected")])
def test_the_verdict_comes_with_its_reasons(accepted: bool, word: str) -> None:
    lines = drawn(*verdict_lines(report(accepted).verdict)).splitlines()
    assert lines[0] == word
    assert lines[1] == "  efficacy is 0.980, asked for >= 0.95"
    assert lines[2:] == ([] if accepted else ["  locality was not measured"])


def test_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    Output().document(_document(applied()))
    document = json.loads(capsys.readouterr().out)
    keys = (
        "status accepted recipe model neurons scores intervals words cases details notes reasons patch "
        "exports run_id experiment seconds"
    )
    assert list(document) == keys.split()
    assert document["neurons"] == [{"name": "L1.N2", "score": 0.5}, {"name": "L0.N7", "score": None}]
    assert document["scores"]["drift"] == {"before": None, "after": 0.00123, "control": 0.5}
    assert document["patch"] == "a.editkit.safetensors"


def test_people_are_told_where_things_are(capsys: pytest.CaptureFixture[str]) -> None:
    _show(Output(), applied())
    out = capsys.readouterr().out
    for words in (
        "editkit show a.editkit.safetensors",
        "run    r1 in experiment editkit",
        "editkit ui",
        "accepted",
    ):
        assert words in out


def many() -> Report:
    more = (
        Score("bleu", value(0.99), value(1.0), value(0.9), value(0.09), group="wording"),
        Score("reference_rouge_l_held_out", value(0.9), value(0.95), None, None, group="wording"),
        Score("perplexity", value(12.3456), value(12.0), value(14.0), group="writing", unit="per token"),
    )
    words = tuple(WordChange(f"word{at}", 4, at, 4, 0, 4 - at, 0.125, 0.5) for at in range(12))
    wide = Score("generalization", value(0.9), value(0.0), value(0.3), value(0.6), edit=1, group="asked")
    bare = replace(report(), scores=(*report().scores, wide))
    return replace(bare, scores=(*bare.scores, *more), words=words)


def test_side_effects_have_a_table_for_each_sort_and_one_line_each() -> None:
    wording, writing = (drawn(table) for table in side_tables(many()))
    (bleu,) = [line.split() for line in wording.splitlines() if "bleu" in line]
    assert bleu == ["bleu", "1.000", "0.990", "[0.980,", "1.000]", "0.900", "yes"]
    assert "reference_rouge_l_held_out" in wording
    (line,) = [line.split() for line in writing.splitlines() if "perplexity (per" in line]
    assert line[3:] == ["12", "12.3", "[12.3,", "12.4]", "14", "-"]
    assert "bleu" not in drawn(scores_table(many()))


def test_no_name_is_cut_on_a_narrow_screen() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=80, color_system=None)
    for part in shown(many()):
        console.print(part)
    for score in many().scores:
        assert score.name in stream.getvalue()
    assert "cases" in stream.getvalue()
    assert all(len(line) <= 80 for line in stream.getvalue().splitlines())


def test_the_surest_words_are_shown_and_all_counted() -> None:
    text = drawn(words_table(many()))
    assert "(12)" in text
    assert ("word0" in text, "word9" in text, "word11" in text) == (True, True, False)


def test_without_a_control_there_is_no_column_for_it() -> None:
    alone = [replace(score, control=None, difference=None) for score in many().scores]
    text = "".join(drawn(part) for part in shown(replace(many(), scores=tuple(alone), words=())))
    assert "beats" not in text
    assert "control" not in text
