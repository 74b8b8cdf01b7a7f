"""Wording before against after, and against references."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate import wording
from editkit.evaluate.metric import Metric, Observation
from editkit.plan import Case, Known

KEPT = (wording.BLEU, wording.ROUGE_1, wording.ROUGE_2, wording.ROUGE_L)
REFERENCE = (
    wording.REFERENCE_BLEU,
    wording.REFERENCE_ROUGE_1,
    wording.REFERENCE_ROUGE_2,
    wording.REFERENCE_ROUGE_L,
)
LONG = st.lists(st.sampled_from(["a", "cup", "red", "and", "hat"]), min_size=4, max_size=9).map(" ".join)


@given(said=LONG)
def test_what_stayed_is_alike(case_of: Callable[..., Case], said: str) -> None:
    case = case_of("control", said)
    assert [metric.values(case, Observation(said), None) for metric in KEPT] == [[pytest.approx(1.0)]] * 4


def test_by_hand(case_of: Callable[..., Case]) -> None:
    case, seen = case_of("control", "a red cup and a hat"), Observation("a red mug and a hat")
    one, two, longest = (metric.values(case, seen, None)[0] for metric in KEPT[1:])
    assert one == pytest.approx(5 / 6)
    assert two == pytest.approx(3 / 5)
    assert longest == pytest.approx(5 / 6)
    # 5/6, 3/5, 1/4 and (smoothed) 1/2 of 3: sacrebleu's exponential smoothing
    assert KEPT[0].values(case, seen, None)[0] == pytest.approx((5 / 6 * 3 / 5 * 1 / 4 * 1 / 6) ** 0.25)


@pytest.mark.parametrize("metric", KEPT)
def test_only_control_cases_must_stay(metric: Metric, case_of: Callable[..., Case]) -> None:
    for role in ("edit", "held_out", "side"):
        assert metric.values(case_of(role), Observation("a gun"), None) == ()


@pytest.mark.parametrize("metric", REFERENCE)
def test_the_likest_reference_counts(metric: Metric, case_of: Callable[..., Case]) -> None:
    known = Known(references=("a dog", "one red cup and a hat"))
    case, seen = case_of("control", known=known), Observation("one red cup and a hat")
    assert metric.values(case, seen, None) == (pytest.approx(1.0),)
    assert metric.values(case_of("control"), seen, None) == ()
    assert metric.values(case_of("edit", known=known), seen, None) == ()
    assert metric.part(case) == metric.name
    assert metric.part(case_of("held_out", known=known)) == f"{metric.name}_held_out"
