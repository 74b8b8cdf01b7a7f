"""Scores before, after and of the control."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

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
    assert [bar.get_width() for bar in shares.patches] == [0.0, 0.97, 0.1]
    assert [bar.get_width() for bar in nats.patches] == [0.06]
    assert nats.get_title(loc="left") == "nats"
    assert drawn(figure)


def test_a_figure_that_is_none_has_no_bar(value: Callable[[float], Value]) -> None:
    (axes,) = scores((Score("pope_f1_random", value(0.5), value(float("nan"))),)).axes
    assert [bar.get_width() for bar in axes.patches] == [0.5]


def test_thirty_scores_stand_one_below_the_other(
    value: Callable[[float], Value], drawn: Callable[[Figure], bytes]
) -> None:
    many = tuple(Score(f"locality_$part$_{at}", value(0.5), value(0.4), value(0.3)) for at in range(30))
    figure = scores(many)
    assert drawn(figure)
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(above.y0 >= below.y1 for above, below in pairwise(boxes))


def test_no_scores_make_an_empty_figure() -> None:
    (axes,) = scores(()).axes
    assert len(axes.patches) == 0
