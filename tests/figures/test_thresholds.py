"""Survival curves and the thresholds on them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as some
from matplotlib.figure import Figure

from editkit.figures.thresholds import POINTS, Cut, survival, thresholds


@given(some.integers(1, 5_000), some.integers(0, 99))
def test_survival_is_the_share_that_is_at_least_as_high(count: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=count)
    scores, shares = survival(values)
    assert len(scores) <= POINTS or count <= POINTS
    assert (np.diff(shares) < 0).all()
    assert scores[0] == values.min()
    assert scores[-1] == values.max()
    for score, share in list(zip(scores, shares, strict=True))[-5:]:
        assert np.isclose(share, (values >= score).mean())


def test_each_stage_has_its_frame_its_chance_and_its_cut(
    drawn: Callable[[Figure], bytes], words: Callable[[Figure], str]
) -> None:
    first = Cut("differences", "activation", 2.0, np.arange(5.0), np.array([0.0, 1.0, -np.inf]), 0.95)
    second = Cut("gradients", "logits", 0.5, [0.0, 1.0])
    figure = thresholds([first, second], "gun")
    one, other = figure.axes
    assert one.get_title() == "differences: 2 of 5 neurons above\n(0.95 of chance below)"
    assert other.get_title() == "gradients: 1 of 2 neurons above\n(set by hand)"
    assert [text.get_text() for text in one.get_legend().get_texts()] == [
        "by chance (2)",
        "observed (5)",
        "threshold 2",
    ]
    assert len(other.get_legend().get_texts()) == 2
    assert "gun" in words(figure)
    assert drawn(figure)


def test_stages_that_nothing_passed_can_be_drawn(drawn: Callable[[Figure], bytes]) -> None:
    assert drawn(thresholds([Cut("differences", "activation", 0.0, [])]))
    assert drawn(thresholds([]))
