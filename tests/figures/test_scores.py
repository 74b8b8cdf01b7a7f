"""Scores before, after and of the control."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from editkit.figures.scores import scores
from editkit.report import Score, Value


def test_shares_and_other_units_stand_apart_with_the_control_beside(
    value: Callable[[float], Value], drawn: Callable[[Figure], bytes]
) -> None:
    efficacy = Score("efficacy", value(0.97), value(0.0), value(0.1), value(0.87), edit=0)
    drift = Score("drift", value(0.06), edit=0, higher_is_better=False, unit="nats")
    figure = scores((efficacy, drift))
    shares, nats = figure.axes
    assert [bar.get_height() for bar in shares.patches] == [0.0, 0.97, 0.1]
    assert [bar.get_height() for bar in nats.patches] == [0.06]
    assert nats.get_title() == "nats"
    assert drawn(figure)


def test_no_scores_make_an_empty_figure() -> None:
    (axes,) = scores(()).axes
    assert len(axes.patches) == 0
