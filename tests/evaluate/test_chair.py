"""CHAIR: hand-counted captions, and what must hold of any."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.demo import language, world
from editkit.evaluate.chair import CAPTION_LENGTH, CHAIR_I, CHAIR_S, OBJECT_RECALL, Named, named
from editkit.evaluate.intervals import pooled
from editkit.evaluate.metric import Metric, Observation
from editkit.evaluate.scoring import rows, scores
from editkit.objects import Vocabulary, coco, listed
from editkit.plan import Case, EditPlan, Known, Picture, Question

ALL = (CHAIR_S, CHAIR_I, OBJECT_RECALL, CAPTION_LENGTH)


def shown(
    kinds: set[str], said: str = "", role: Any = "control", words: Vocabulary | None = None, **others: Any
) -> Case:
    """A picture that shows some kinds, and what the unedited model says about it."""
    picture = Picture("a.png", b"", frozenset(kinds))
    known = Known(vocabulary=words or coco(), references=others.pop("references", ()))
    return Case(Question("q", "q", "what?", (picture,)), role, said, (), known=known, **others)


def figure(metric: Metric, *pairs: tuple[Case, str]) -> float:
    counts = [one for case, said in pairs for one in metric.values(case, Observation(said), None)]
    if metric.pool is not None:
        return pooled(counts, metric.pool).value  # type: ignore[arg-type]
    return sum(counts) / len(counts)  # type: ignore[arg-type]


def test_hand_counted_captions() -> None:
    one = shown({"knife", "cup"}), "A knife, a fork and another fork."
    other = shown({"dog"}), "a puppy in the grass"
    assert named(*one) == Named(mentions=3, wrong=2, shown=2, recalled=1, words=7)
    assert named(*other) == Named(mentions=1, wrong=0, shown=1, recalled=1, words=5)
    assert figure(CHAIR_S, one, other) == 0.5
    assert figure(CHAIR_I, one, other) == 2 / 4
    assert figure(OBJECT_RECALL, one, other) == 2 / 3
    assert figure(CAPTION_LENGTH, one, other) == 6


def test_what_people_wrote_is_in_the_picture_too() -> None:
    case = shown({"laptop"}, references=("a laptop on a desk", "books"))
    assert named(case, "a desk with a laptop, a cup") == Named(3, 1, 3, 2, 7)


def test_kinds_that_nobody_looked_for_do_not_count() -> None:
    case = shown({"dog", "unicorn"}, words=coco().only(["dog", "cat"]))
    assert named(case, "a dog and a unicorn on a couch") == Named(1, 0, 1, 1, 8)


def test_nothing_said_names_nothing() -> None:
    silent = shown({"dog"}), ""
    assert [figure(metric, silent) for metric in (CHAIR_S, OBJECT_RECALL, CAPTION_LENGTH)] == [0, 0, 0]
    assert math.isnan(figure(CHAIR_I, silent))


@pytest.mark.parametrize(
    "case",
    [
        shown({"dog"}, role="edit"),
        shown({"dog"}, role="preserve"),
        replace(shown({"dog"}), known=Known()),
        replace(shown({"dog"}), question=Question("q", "q", "what?", (Picture("a.png", b""),))),
        replace(shown({"dog"}), question=Question("q", "q", "what?")),
    ],
)
def test_where_nothing_is_known_or_solved_on_nothing_counts(case: Case) -> None:
    assert [metric.values(case, Observation("a dog"), None) for metric in ALL] == [(), (), (), ()]


@given(st.integers(0, 5_000))
def test_the_true_caption_of_a_scene_invents_nothing_and_leaves_nothing_out(index: int) -> None:
    scene = world.scene(3, index)
    pair = shown(set(scene.kinds), words=listed(world.KINDS)), language.caption(scene)
    assert figure(CHAIR_S, pair) == figure(CHAIR_I, pair) == 0
    assert figure(OBJECT_RECALL, pair) == 1


@given(st.frozensets(st.sampled_from(coco().kinds), min_size=1), st.sampled_from(coco().kinds))
def test_an_invented_object_is_counted(kinds: frozenset[str], more: str) -> None:
    pair = shown(set(kinds)), f"{', '.join(kinds)}, {more}"
    wrong = more not in kinds
    assert figure(CHAIR_S, pair) == wrong
    assert figure(CHAIR_I, pair) == wrong / (len(kinds) + 1)
    assert figure(OBJECT_RECALL, pair) == 1


def test_scores_stand_before_after_and_beside_the_control(edit_of: Callable[..., Any]) -> None:
    cases = [
        shown({"boat"}, "a boat and a kite"),
        shown({"dog"}, "a dog"),
        shown({"boat"}, "a boat and a kite", role="held_out", edits=(0,)),
    ]
    after = [Observation("a boat"), Observation("a cat"), Observation("a boat")]
    control = [Observation(case.said) for case in cases]
    plan = EditPlan((edit_of("kite"),), tuple(cases), 3)
    found = {score.name: score for score in scores(ALL, plan, cases, control, after, control)}
    assert found.keys() == {name + part for name in [one.name for one in ALL] for part in ("", "_held_out")}
    whole, held_out = found["chair_i"], found["chair_i_held_out"]
    assert whole.before is not None
    assert (whole.before.value, whole.after.value) == (1 / 3, 1 / 2)
    assert held_out.before is not None
    assert held_out.difference is not None
    assert (held_out.before.value, held_out.after.value, held_out.difference.value) == (0.5, 0.0, -0.5)
    # An invention that was there before is no fault of the edit's; a new one is.
    assert [row.ok for row in rows([CHAIR_S], plan, cases, after, None)] == [True, False, True]
    assert [row.ok for row in rows([CHAIR_S], plan, cases, control, None)] == [True, True, True]
