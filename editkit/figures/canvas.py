"""What all figures share: frames, and looks that are told apart without colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart by stroke, mark, lightness and hatching, not by hue.
GREYS: Final = ("#1f4e79", "#555555", "#8c5a2b", "#999999")
STROKES: Final = ("-", "--", ":", "-.")
MARKS: Final = ("o", "s", "^", "x", "D", "v", "+", "*")
FILLS: Final = (
    ("#1f4e79", ""),
    ("#d9d9d9", ""),
    ("#9fb8cc", "///"),
    ("#ffffff", "..."),
    ("#555555", ""),
    ("#b8b8b8", "xxx"),
    ("#ffffff", "\\\\\\"),
    ("#777777", "---"),
    ("#ececec", "ooo"),
)
DPI: Final = 120


def figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches that needs no screen."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def frames(widths: Sequence[float], width: float, height: float = 3.6) -> tuple[Figure, list[Axes]]:
    """Frames side by side, their widths in the given ratio."""
    found = figure(width, height)
    row = found.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0].tolist()
    for axes in row:
        axes.spines[["top", "right"]].set_visible(False)
    return found, row


def wrapped_frames(count: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """`count` frames of that size each, at most `columns` in a row."""
    columns = max(1, min(columns, count))
    rows = max(1, -(-count // columns))
    found = figure(width * columns, height * rows)
    every = found.subplots(rows, columns, squeeze=False).flatten().tolist()
    for axes in every:
        axes.spines[["top", "right"]].set_visible(False)
    for axes in every[count:]:
        axes.set_axis_off()
    return found, every[:count]


def line(at: int) -> dict[str, Any]:
    """How the line number `at` of a frame is drawn."""
    return {
        "color": GREYS[at % 4],
        "linestyle": STROKES[at // 4 % 4],
        "marker": MARKS[at % 8],
        "markersize": 4,
    }


def whole_numbers(axes: Axes, *sides: str) -> None:
    """Ticks of an axis (`x`, `y`) at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    for side in sides:
        getattr(axes, f"{side}axis").set_major_locator(MaxNLocator(integer=True))
