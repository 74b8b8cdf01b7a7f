"""Neurons are counted by layer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from matplotlib.figure import Figure

from editkit.figures.layers import layer_profiles, neurons_per_layer
from editkit.neuron import Neuron, Neurons


def test_neurons_are_counted_by_layer(neurons: Neurons) -> None:
    left, right = neurons_per_layer(neurons).axes
    assert [bar.get_height() for bar in left.patches] == [1, 2]
    assert list(right.lines[0].get_ydata()) == [3.0, 2.0, 0.5]


def test_every_ranking_has_a_histogram_of_shares(
    neurons: Neurons, drawn: Callable[[Figure], bytes], words: Callable[[Figure], str]
) -> None:
    other = Neurons(tuple(Neuron(3, at) for at in range(4)), (4.0, 3.0, 2.0, 1.0), "two_stage")
    figure = layer_profiles({"contribution": neurons, "two_stage": other}, 4)
    first, second = figure.axes
    assert [bar.get_height() for bar in first.patches] == pytest.approx([1 / 3, 2 / 3, 0, 0])
    assert [bar.get_height() for bar in second.patches] == [0, 0, 0, 1]
    assert first.get_ylim() == second.get_ylim()
    assert {"contribution", "two_stage"} <= set(words(figure).split("\n"))
    assert drawn(figure)


def test_no_ranking_and_an_empty_one_can_be_drawn(drawn: Callable[[Figure], bytes]) -> None:
    empty = Neurons((), (), "two_stage")
    for figure in (
        layer_profiles({}, 4),
        layer_profiles({"two_stage": empty}, 32),
        neurons_per_layer(empty),
    ):
        assert drawn(figure)
