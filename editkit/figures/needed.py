"""How many neurons an edit needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from editkit.figures.canvas import frames, line
from editkit.figures.lettering import plain
from editkit.report import Value

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def score_by_count(
    curves: Mapping[str, Sequence[tuple[int, Value]]], score: str = "efficacy", title: str = ""
) -> Figure:
    """A score against the number of neurons edited, with 95 % intervals; random ones broken and light.

    Args:
        curves: `contribution`, `random` and so on -> (number of neurons, what was reached).
    """
    found, (axes,) = frames([1.0], width=7.0, height=4.0)
    every = sorted({count for points in curves.values() for count, _ in points})
    for at, (name, points) in enumerate(curves.items()):
        counts, values = [count for count, _ in points], [value for _, value in points]
        look = line(at)
        if name == "random":
            look |= {"color": "#888888", "linestyle": "--", "markerfacecolor": "white"}
        low = [max(value.value - value.interval.low, 0) for value in values]
        high = [max(value.interval.high - value.value, 0) for value in values]
        axes.errorbar(
            counts,
            [value.value for value in values],
            yerr=[low, high] if points else None,
            label=plain(name),
            capsize=2,
            elinewidth=0.8,
            **look,
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks(every, [str(count) for count in every])
    axes.minorticks_off()
    axes.set(xlabel="neurons edited", ylabel=plain(score), ylim=(-0.03, 1.05))
    axes.set_title(plain(title) or f"{plain(score).capitalize()} against the number of neurons")
    if curves:
        axes.legend(frameon=False)
    return found
