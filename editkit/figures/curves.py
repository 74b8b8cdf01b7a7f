"""What is measured over steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from editkit.figures.canvas import GREYS, figure, whole_numbers
from editkit.figures.lettering import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curves(history: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """A frame for each measured key, below one another: losses differ in scale by orders of magnitude.

    Logarithmic where every value of the key allows it.
    """
    drawn = figure(7.0, 1.7 * max(1, len(history)) + 0.6)
    every = drawn.subplots(max(1, len(history)), 1, squeeze=False, sharex=True)[:, 0].tolist()
    for axes, (key, points) in zip(every, sorted(history.items()), strict=False):
        steps, values = zip(*sorted(points), strict=True)
        axes.plot(steps, values, color=GREYS[0])
        if min(values) > 0:
            axes.set_yscale("log")
        axes.set_title(plain(key), fontsize=9, loc="left")
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        whole_numbers(axes, "x")
    every[-1].set_xlabel("step")
    return drawn
