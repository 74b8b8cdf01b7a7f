"""What is measured over steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from editkit.figures.canvas import GREYS, STROKES, frames

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curves(history: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Each measured key over its steps; logarithmic where every value allows it."""
    figure, (axes,) = frames([1.0], width=7.0)
    for at, (key, points) in enumerate(sorted(history.items())):
        steps, values = zip(*sorted(points), strict=True)
        axes.plot(steps, values, STROKES[at % 4], color=GREYS[at // 4 % 4], label=key)
    if all(value > 0 for points in history.values() for _, value in points):
        axes.set_yscale("log")
    axes.set(title="Loss", xlabel="step", ylabel="loss")
    axes.legend(frameon=False)
    return figure
