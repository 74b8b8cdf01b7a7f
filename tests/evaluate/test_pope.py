"""POPE: hand-counted answers, an oracle, and who says yes to everything."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate import METRICS
from editkit.evaluate.intervals import mean, pooled
from editkit.evaluate.metric import Metric, Observation
from editkit.evaluate.pope import POPE_ACCURACY, answered
from editkit.evaluate.scoring import rows, scores
from editkit.methods import load
from editkit.plan import Case, EditPlan, Known, Question

ALL: list[Metric] = [load(METRICS, name, "evaluate.metrics") for name in METRICS if name.startswith("pope_")]
LABELS = st.lists(st.booleans(), min_size=1)


def asked(yes: bool, said: str = "", kind: str = "random", number: int = 0) -> Case:
    question = Question(f"{kind}{number}", "g", "Is there a dog in the image?")
    return Case(question, "side", said, (), suite=f"pope_{kind}", known=Known(answer=yes))


def figures(labels: Sequence[bool], said: Sequence[str]) -> dict[str, float]:
    found = {}
    for metric in ALL:
        counts: list[Any] = [
            one
            for yes, text in zip(labels, said, strict=True)
            for one in metric.values(asked(yes), Observation(text), None)
        ]
        value = mean(counts) if metric.pool is None else pooled(counts, metric.pool)
        found[metric.name.removeprefix("pope_")] = value.value
    return found


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("Yes.", True),
        ("yes", True),
        ("No.", False),
        ("NO, there is no dog.", False),
        ("Yes, there is no doubt.", True),
        ("There is a dog in the image.", True),
        ("There are dogs", True),
        ("There is no dog in the image.", False),
        ("There isn't a dog.", False),
        ("There isn\u2019t a dog.", False),
        ("The dog is not there. Yes.", False),
        ("The image does not show one", False),
        ("I cannot see a dog", False),
        ("I would say yes", True),
        ("  \n Yes\nNo", True),
        ("a red dog.", None),
        ("Yesterday", None),
        ("nothing", False),
        ("know", None),
        ("", None),
        ("?!", None),
    ],
)
def test_what_an_answer_means(said: str, means: bool | None) -> None:
    assert answered(said) is means


def test_hand_counted_answers() -> None:
    labels = [True, True, True, False, False, False, False, False]
    said = ["Yes.", "yes", "No.", "Yes.", "No.", "No.", "a dog.", "no"]
    assert figures(labels, said) == {
        "accuracy": 6 / 8,
        "precision": 2 / 3,
        "recall": 2 / 3,
        "f1": 2 / 3,
        "yes": 3 / 8,
        "unclear": 1 / 8,
    }


@given(LABELS)
def test_an_oracle_is_always_right(labels: list[bool]) -> None:
    found = figures(labels, ["Yes." if yes else "No." for yes in labels])
    assert found["accuracy"] == 1
    assert found["yes"] == sum(labels) / len(labels)
    assert found["unclear"] == 0
    if any(labels):
        assert found["precision"] == found["recall"] == found["f1"] == 1


@given(LABELS)
def test_who_says_yes_to_everything_finds_everything(labels: list[bool]) -> None:
    found = figures(labels, ["Yes, there is."] * len(labels))
    assert found["yes"] == 1
    assert found["accuracy"] == found["precision"] == sum(labels) / len(labels)
    if any(labels):
        assert found["recall"] == 1


@given(LABELS)
def test_who_says_nothing_denies_everything(labels: list[bool]) -> None:
    found = figures(labels, ["hm"] * len(labels))
    assert (found["unclear"], found["yes"]) == (1, 0)
    assert math.isnan(found["precision"])
    assert found["accuracy"] == labels.count(False) / len(labels)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["Yes.", "No.", "hm"])), min_size=1))
def test_f1_is_the_harmonic_mean(pairs: list[tuple[bool, str]]) -> None:
    found = figures([yes for yes, _ in pairs], [said for _, said in pairs])
    precision, recall = found["precision"], found["recall"]
    if precision + recall > 0:
        assert found["f1"] == pytest.approx(2 * precision * recall / (precision + recall))


def test_each_kind_of_question_has_its_scores(edit_of: Callable[..., Any]) -> None:
    cases = [
        asked(True, "Yes.", "popular"),
        asked(False, "Yes.", "adversarial"),
        asked(True, "No.", "random"),
    ]
    before = [Observation(case.said) for case in cases]
    after = [Observation("Yes."), Observation("No."), Observation("No.")]
    plan = EditPlan((edit_of("dog"),), tuple(cases), 3)
    found = {score.name: score for score in scores(ALL, plan, cases, before, after, before)}
    # The adversarial question has no present object, so there is nothing to recall.
    assert len(found) == 3 * len(ALL) - 1
    adversarial = found["pope_accuracy_adversarial"]
    assert adversarial.before is not None
    assert (adversarial.before.value, adversarial.after.value) == (0, 1)
    assert found["pope_recall_random"].after.value == 0


def test_a_row_is_fine_where_the_edit_made_no_answer_wrong(edit_of: Callable[..., Any]) -> None:
    said = [(True, "Yes."), (True, "No."), (False, "No.")]
    cases = [asked(yes, text, number=at) for at, (yes, text) in enumerate(said)]
    plan = EditPlan((edit_of("dog"),), tuple(cases), 3)
    after = [Observation("No."), Observation("No."), Observation("No.")]
    assert [row.ok for row in rows(ALL, plan, cases, after, None)] == [False, True, True]


def test_other_cases_are_no_questions_of_pope(case_of: Callable[..., Case]) -> None:
    case = case_of("control", known=Known(answer=True))
    assert [len(metric.values(case, Observation("Yes."), None)) for metric in ALL] == [0] * len(ALL)
    assert POPE_ACCURACY.part(case) == "pope_accuracy"
