"""The figures show what they are given."""

from __future__ import annotations

from editkit.neuron import Neurons
from editkit.report import Report
from editkit.track import figures


def test_neurons_are_counted_by_layer(neurons: Neurons) -> None:
    left, right = figures.neurons_per_layer(neurons).axes
    assert [bar.get_height() for bar in left.patches] == [1, 2]
    assert list(right.lines[0].get_ydata()) == [3.0, 2.0, 0.5]


def test_curves_are_logarithmic_where_they_can_be() -> None:
    (axes,) = figures.curves({"loss/a": [(1, 0.5), (0, 1.0)]}).axes
    assert axes.get_yscale() == "log"
    assert list(axes.lines[0].get_xdata()) == [0, 1]
    (axes,) = figures.curves({"loss/a": [(0, 0.0)]}).axes
    assert axes.get_yscale() == "linear"


def test_shares_and_other_units_stand_apart_with_the_control_beside(report: Report) -> None:
    shares, nats = figures.scores(report.scores).axes
    assert [bar.get_height() for bar in shares.patches] == [0.0, 0.97, 0.1]
    assert [bar.get_height() for bar in nats.patches] == [0.06]
    assert nats.get_title() == "nats"


def test_no_scores_make_an_empty_figure() -> None:
    (axes,) = figures.scores(()).axes
    assert len(axes.patches) == 0
