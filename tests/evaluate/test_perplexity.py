"""Perplexity and its ratio are made of sums over texts."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate.metric import Observation
from editkit.evaluate.perplexity import PERPLEXITY, PERPLEXITY_RATIO, pool
from editkit.evaluate.scoring import scores
from editkit.plan import Case, EditPlan
from editkit.report import Score

NATS = st.lists(st.lists(st.floats(0.0, 12.0), min_size=1, max_size=6), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def texts(case_of: Callable[..., Case]) -> Callable[..., tuple[Case, ...]]:
    def make(*nats: list[float]) -> tuple[Case, ...]:
        return tuple(case_of("side", suite="perplexity", nats=tuple(own)) for own in nats)

    return make


def scored(cases: tuple[Case, ...], *after: list[float]) -> dict[str, Score]:
    before = [Observation("", nats=case.nats or ()) for case in cases]
    seen = [Observation("", nats=tuple(own)) for own in after]
    metrics = (PERPLEXITY, PERPLEXITY_RATIO)
    return {one.name: one for one in scores(metrics, EditPlan((), cases, 1), cases, before, seen, seen)}


def test_by_hand(texts: Callable[..., tuple[Case, ...]]) -> None:
    found = scored(texts([1.0, 2.0], [3.0]), [1.5, 2.5], [5.0])
    # 6 nats of 3 tokens before, 9 after
    before, after = found["perplexity"].before, found["perplexity"].after
    assert before is not None
    assert (before.value, after.value) == (pytest.approx(math.exp(2)), pytest.approx(math.exp(3)))
    assert found["perplexity_ratio"].after.value == pytest.approx(math.exp(1))
    assert after.count == 2
    assert found["perplexity"].difference is not None
    assert found["perplexity"].difference.value == 0.0


def test_only_texts_count(case_of: Callable[..., Case]) -> None:
    for metric in (PERPLEXITY, PERPLEXITY_RATIO):
        assert metric.values(case_of("control"), Observation("a"), None) == ()
        assert metric.values(case_of("side", suite="negation"), Observation("a"), None) == ()


@given(nats=NATS)
def test_the_same_model_has_the_ratio_one(
    texts: Callable[..., tuple[Case, ...]], nats: list[list[float]]
) -> None:
    found = scored(texts(*nats), *nats)["perplexity_ratio"]
    assert found.after.value == found.after.interval.low == found.after.interval.high == 1.0


@given(nats=NATS)
def test_the_ratio_is_that_of_the_two_perplexities(
    texts: Callable[..., tuple[Case, ...]], nats: list[list[float]]
) -> None:
    found = scored(texts(*nats), *[[value + 0.5 for value in own] for own in nats])
    before = found["perplexity"].before
    assert before is not None
    assert found["perplexity"].after.value / before.value == pytest.approx(math.exp(0.5))
    assert found["perplexity_ratio"].after.value == pytest.approx(math.exp(0.5))


def test_too_large_for_a_number() -> None:
    assert pool((10_000.0, 1.0)) == math.inf
