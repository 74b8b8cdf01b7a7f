"""Localizers beside each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from editkit.figures.comparison import comparison, overlap


def test_a_frame_for_each_metric_with_means_and_seeds(
    drawn: Callable[[Figure], bytes], words: Callable[[Figure], str]
) -> None:
    figure = comparison(
        {
            "specificity": {"contribution": [0.5, 0.7], "random": [0.1, 0.1]},
            "seconds": {"contribution": [3.0], "random": []},
        }
    )
    first, second = figure.axes[:2]
    assert [bar.get_width() for bar in first.patches] == pytest.approx([0.6, 0.1])
    assert [len(dots.get_offsets()) for dots in first.collections] == [2, 2]
    assert [bar.get_width() for bar in second.patches] == [3.0]
    assert [label.get_text() for label in second.get_yticklabels()] == ["contribution", "random"]
    assert first.get_title() == "specificity"
    assert drawn(figure)
    assert drawn(comparison({}))


def test_the_overlap_is_written_in_every_cell_that_has_one(
    drawn: Callable[[Figure], bytes], words: Callable[[Figure], str]
) -> None:
    figure = overlap(["contribution", "random"], [[1.0, 0.25], [np.nan, 1.0]])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["1.00", "0.25", "1.00"]
    assert [text.get_color() for text in axes.texts] == ["white", "black", "white"]
    assert drawn(figure)
    assert drawn(overlap([], np.zeros((0, 0))))
