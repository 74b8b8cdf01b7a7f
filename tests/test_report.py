"""A report's tables."""

from __future__ import annotations

import pytest

from editkit.report import Interval, Report, Score, Value, Verdict


def value(number: float) -> Value:
    return Value(number, Interval(number - 0.1, number + 0.1), 10)


def score(name: str, after: float, edit: int | None = None, **others: object) -> Score:
    return Score(name, value(after), edit=edit, **others)  # type: ignore[arg-type]


def report(*scores: Score) -> Report:
    return Report(scores, Verdict(True, ()), {})


def test_the_worst_edit_stands_for_all() -> None:
    made = report(
        score("efficacy", 0.9, 0),
        score("efficacy", 0.7, 1),
        score("drift", 0.1, 0, higher_is_better=False),
        score("drift", 0.3, 1, higher_is_better=False),
    )
    assert made.score("efficacy").after.value == 0.7
    assert made.score("efficacy", 0).after.value == 0.9
    assert made.score("drift").after.value == 0.3
    with pytest.raises(KeyError, match="bleu"):
        made.score("bleu")
    with pytest.raises(KeyError):
        made.score("efficacy", 2)


def test_the_table_names_edits_only_where_there_are_several() -> None:
    one = report(score("efficacy", 0.9, 0, before=value(0.1)), score("locality", 1.0, control=value(0.5)))
    assert one.table() == {
        "efficacy": {"before": 0.1, "after": 0.9, "control": None},
        "locality": {"before": None, "after": 1.0, "control": 0.5},
    }
    two = report(score("efficacy", 0.9, 0), score("efficacy", 0.7, 1), score("locality", 1.0))
    assert list(two.table()) == ["edits[0].efficacy", "edits[1].efficacy", "locality"]


def test_figures_of_one_edit_or_of_the_recipe() -> None:
    made = report(score("efficacy", 0.9, 0, before=value(0.1)), score("locality", 1.0))
    assert made.figures(0) == {"efficacy/before": 0.1, "efficacy/after": 0.9}
    assert made.figures() == {"locality/after": 1.0}


@pytest.mark.parametrize(
    ("low", "high", "higher", "beats"),
    [(0.1, 0.3, True, True), (-0.1, 0.3, True, False), (-0.3, -0.1, True, False), (-0.3, -0.1, False, True)],
)
def test_better_than_control_is_on_the_better_side_of_zero(
    low: float, high: float, higher: bool, beats: bool
) -> None:
    difference = Value((low + high) / 2, Interval(low, high), 10)
    made = score("x", 1.0, difference=difference, higher_is_better=higher)
    assert made.beats_control is beats
    assert score("x", 1.0).beats_control is None


def test_no_figure_is_the_worst() -> None:
    made = report(score("f1", 0.2, 0), score("f1", float("nan"), 1), score("f1", 0.9, 2))
    assert made.score("f1").edit == 1
