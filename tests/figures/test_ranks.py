"""Scores against rank, and over all neurons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from editkit.figures.ranks import score_against_rank, score_distributions
from editkit.neuron import Neuron, Neurons


def ranking(*scores: float) -> Neurons:
    return Neurons(tuple(Neuron(0, at) for at in range(len(scores))), scores, "contribution")


def test_scores_of_different_units_are_shares_of_the_best() -> None:
    rankings = {"gun": ranking(4.0, 2.0, -1.0), "cup": ranking(0.2, 0.1)}
    (axes,) = score_against_rank(rankings, relative=True).axes
    assert list(axes.lines[0].get_ydata()) == pytest.approx([1.0, 0.5, -0.25])
    assert list(axes.lines[1].get_ydata()) == pytest.approx([1.0, 0.5])
    (axes,) = score_against_rank(rankings, relative=False).axes
    assert list(axes.lines[0].get_ydata()) == [4.0, 2.0, -1.0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["gun", "cup"]


@pytest.mark.parametrize("count", [0, 1, 2, 30, 5_000])
def test_rankings_of_any_length_can_be_drawn(count: int, drawn: Callable[[Figure], bytes]) -> None:
    scores = tuple(1.0 / (at + 1) for at in range(count))
    every = {str(at): ranking(*scores) for at in range(9)}
    assert drawn(score_against_rank(every, relative=True))
    assert drawn(score_against_rank({}, relative=False))


def test_a_distribution_counts_every_neuron_and_says_who_is_out(drawn: Callable[[Figure], bytes]) -> None:
    scores = np.array([[0.0, 1.0, 1.0], [2.0, -np.inf, 3.0]])
    figure = score_distributions({"gun": scores, "none": np.full(3, -np.inf), "cup": [1.0], "hat": []})
    every = figure.axes
    assert sum(bar.get_height() for bar in every[0].patches) == 5
    assert every[0].get_yscale() == "log"
    assert every[0].get_title() == "gun\n5 neurons, 1 ruled out"
    assert every[1].get_title() == "none\n0 neurons, 3 ruled out"
    assert drawn(figure)
