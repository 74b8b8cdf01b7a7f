"""What an edit did, beside what random neurons do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from editkit.figures.canvas import frames
from editkit.report import Score, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# (legend, fill, hatch): told apart by lightness and hatching, not by hue.
SIDES: Final = (("before", "#d9d9d9", ""), ("after", "#1f4e79", ""), ("control", "#9fb8cc", "///"))


def scores(found: Sequence[Score]) -> Figure:
    """Bars before, after and with random neurons edited instead, with 95 % intervals.

    Shares stand in one frame; metrics of another unit each in their own.
    """
    shares = [score for score in found if score.unit == "share"]
    others = [score for score in found if score.unit != "share"]
    groups = [group for group in (shares, *([score] for score in others)) if group]
    widths = [float(len(group)) for group in groups] or [1.0]
    figure, every = frames(widths, width=max(7.0, 1.7 * len(found) + 2.5))
    for axes, group in zip(every, groups, strict=False):
        _bars(axes, group)
        if group is shares:
            axes.set(title="Share of cases", ylim=(0, 1.05))
        else:
            axes.set(title=group[0].unit)
    handles, labels = every[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _bars(axes: Axes, group: Sequence[Score]) -> None:
    for at, (side, colour, hatch) in enumerate(SIDES):
        values: list[tuple[float, Value]] = [
            (place + (at - 1) * 0.27, value)
            for place, score in enumerate(group)
            if (value := getattr(score, side)) is not None
        ]
        below = [max(value.value - value.interval.low, 0) for _, value in values]
        above = [max(value.interval.high - value.value, 0) for _, value in values]
        axes.bar(
            [place for place, _ in values],
            [value.value for _, value in values],
            width=0.25,
            color=colour,
            hatch=hatch,
            edgecolor="black",
            linewidth=0.6,
            yerr=[below, above] if values else None,
            error_kw={"elinewidth": 0.8, "capsize": 2},
            label="random neurons" if side == "control" else side,
        )
    names = [score.name.replace("_", "\n") for score in group]
    axes.set_xticks(range(len(group)), names)
    axes.set_xlim(-0.6, len(group) - 0.4)
