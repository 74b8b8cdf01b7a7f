"""Probes: who counts, and what is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from editkit.evaluate import probes
from editkit.evaluate.metric import Metric, Observation
from editkit.plan import Case, Picture, PlannedEdit


@pytest.mark.parametrize(
    ("metric", "suite"), [(probes.EFFICACY_PARAPHRASE, "paraphrase"), (probes.EFFICACY_NEGATION, "negation")]
)
def test_the_source_must_not_be_said(
    metric: Metric, suite: str, edit_of: Callable[..., PlannedEdit], case_of: Callable[..., Case]
) -> None:
    edit, case = edit_of("gun", "cup"), case_of("side", suite=suite, edits=(0,))
    assert metric.values(case, Observation("a Gun"), edit) == (0.0,)
    assert metric.values(case, Observation("a hat"), edit) == (1.0,), "the target need not be said"
    assert metric.values(case, Observation("a gun"), edit_of("gun", number=1)) == ()
    assert metric.values(case_of("held_out"), Observation("a gun"), edit) == ()
    assert metric.values(case_of("side", suite="text_only", edits=(0,)), Observation("a gun"), edit) == ()


@pytest.mark.parametrize("suite", ["text_only", "image_only"])
def test_one_modality_alone(
    suite: str, edit_of: Callable[..., PlannedEdit], case_of: Callable[..., Case]
) -> None:
    efficacy: Metric = getattr(probes, f"EFFICACY_{suite.upper()}")
    locality: Metric = getattr(probes, f"LOCALITY_{suite.upper()}")
    edit = edit_of("gun", "cup")
    said, other = case_of("side", suite=suite, edits=(0,)), case_of("side", "a hat", suite=suite)
    assert efficacy.values(said, Observation("a cup"), edit) == (1.0,)
    assert efficacy.values(said, Observation("a hat"), edit) == (0.0,), "the target is asked for"
    assert efficacy.values(other, Observation("a cup"), edit) == ()
    assert locality.values(other, Observation(" a  hat "), None) == (1.0,)
    assert locality.values(other, Observation("a cap"), None) == (0.0,)
    assert locality.values(said, Observation("a cup"), None) == ()
    assert locality.values(case_of("control", "a hat"), Observation("a hat"), None) == ()


def test_both_modalities_are_the_cases_with_pictures(
    edit_of: Callable[..., PlannedEdit], case_of: Callable[..., Case]
) -> None:
    def seen(case: Case) -> Case:
        return replace(case, question=replace(case.question, images=(Picture("a.png", b""),)))

    edit = edit_of("gun")
    efficacy, locality = probes.EFFICACY_IMAGE_TEXT, probes.LOCALITY_IMAGE_TEXT
    assert efficacy.values(seen(case_of("held_out")), Observation("a cup"), edit) == (1.0,)
    assert efficacy.values(case_of("held_out"), Observation("a cup"), edit) == ()
    assert efficacy.values(seen(case_of("edit")), Observation("a cup"), edit) == ()
    assert locality.values(seen(case_of("control", "a hat")), Observation("a hat"), None) == (1.0,)
    assert locality.values(seen(case_of("control", near=True)), Observation("a gun"), None) == ()
    assert locality.values(case_of("control"), Observation("a gun"), None) == ()
