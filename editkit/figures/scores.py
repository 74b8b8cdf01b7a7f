"""What an edit did, beside what random neurons do."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Final

from editkit.figures.canvas import figure
from editkit.figures.lettering import plain
from editkit.report import Score, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# (legend, fill, hatch): told apart by lightness and hatching, not by hue.
SIDES: Final = (("before", "#d9d9d9", ""), ("after", "#1f4e79", ""), ("control", "#9fb8cc", "///"))


def scores(found: Sequence[Score]) -> Figure:
    """Lying bars before, after and with random neurons edited instead, with 95 % intervals.

    Shares stand in one frame; scores of another unit each in their own below it.
    """
    shares = [score for score in found if score.unit == "share"]
    others = [score for score in found if score.unit != "share"]
    groups = [group for group in (shares, *([score] for score in others)) if group] or [[]]
    heights = [len(group) + 0.9 for group in groups]
    drawn = figure(8.0, 0.5 * sum(heights) + 1.0)
    every = drawn.subplots(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0].tolist()
    for axes, group in zip(every, groups, strict=True):
        axes.spines[["top", "right"]].set_visible(False)
        _bars(axes, group)
        if group is shares:
            axes.set_title("Shares: of cases, or of what is alike", fontsize=9, loc="left")
            axes.set_xlim(0, 1.03)
        elif group:
            axes.set_title(plain(group[0].unit), fontsize=9, loc="left")
    handles, labels = every[0].get_legend_handles_labels()
    if handles:
        drawn.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return drawn


def _bars(axes: Axes, group: Sequence[Score]) -> None:
    for at, (side, colour, hatch) in enumerate(SIDES):
        values: list[tuple[float, Value]] = [
            (place + (at - 1) * 0.27, value)
            for place, score in enumerate(group)
            if (value := getattr(score, side)) is not None and isfinite(value.value)
        ]
        below = [max(value.value - value.interval.low, 0) for _, value in values]
        above = [max(value.interval.high - value.value, 0) for _, value in values]
        axes.barh(
            [place for place, _ in values],
            [value.value for _, value in values],
            height=0.25,
            color=colour,
            hatch=hatch,
            edgecolor="black",
            linewidth=0.6,
            xerr=[below, above] if values else None,
            error_kw={"elinewidth": 0.8, "capsize": 2},
            label="random neurons" if side == "control" else side,
        )
    axes.set_yticks(range(len(group)), [plain(score.name) for score in group], fontsize=9)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_ylim(len(group) - 0.4, -0.6)
