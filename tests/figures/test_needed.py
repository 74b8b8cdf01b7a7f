"""A score against the number of neurons."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from editkit.figures.needed import score_by_count
from editkit.report import Value


def test_every_ranking_has_a_curve_with_intervals_and_random_is_broken(
    value: Callable[[float], Value], drawn: Callable[[Figure], bytes]
) -> None:
    curves = {
        "contribution": [(1, value(0.5)), (8, value(0.9))],
        "random": [(1, value(0.0)), (16, value(0.4))],
    }
    figure = score_by_count(curves)
    (axes,) = figure.axes
    assert list(axes.containers[0][0].get_xdata()) == [1, 8]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "8", "16"]
    assert [one[0].get_linestyle() for one in axes.containers] == ["-", "--"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["contribution", "random"]
    assert drawn(figure)
    assert drawn(score_by_count({}))
