"""The pictures of a run: readable in grey, drawn without a screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from editkit.neuron import Neurons
from editkit.report import Score, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# (legend, fill, hatch): told apart by lightness and hatching, not by hue.
SIDES: Final = (("before", "#d9d9d9", ""), ("after", "#1f4e79", ""), ("control", "#9fb8cc", "///"))
STROKES: Final = ("-", "--", ":", "-.")
GREYS: Final = ("#1f4e79", "#555555", "#8c5a2b", "#999999")


def neurons_per_layer(neurons: Neurons) -> Figure:
    """How many neurons each layer gives, and how the scores fall with rank."""
    figure, (left, right) = _figure([1.0, 1.0], width=9.0)
    counts = Counter(neuron.layer for neuron in neurons)
    layers = range(max(counts, default=0) + 1)
    left.bar(list(layers), [counts[layer] for layer in layers], color=GREYS[0])
    left.set(title="Neurons per layer", xlabel="layer", ylabel="neurons")
    left.xaxis.get_major_locator().set_params(integer=True)
    left.yaxis.get_major_locator().set_params(integer=True)
    right.plot(range(1, len(neurons) + 1), neurons.scores, color=GREYS[0], marker=".")
    right.set(title=f"Score against rank ({neurons.method})", xlabel="rank", ylabel="score")
    right.xaxis.get_major_locator().set_params(integer=True)
    return figure


def curves(history: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Each measured key over its steps; logarithmic where every value allows it."""
    figure, (axes,) = _figure([1.0], width=7.0)
    for at, (key, points) in enumerate(sorted(history.items())):
        steps, values = zip(*sorted(points), strict=True)
        axes.plot(steps, values, STROKES[at % 4], color=GREYS[at // 4 % 4], label=key)
    if all(value > 0 for points in history.values() for _, value in points):
        axes.set_yscale("log")
    axes.set(title="Loss", xlabel="step", ylabel="loss")
    axes.legend(frameon=False)
    return figure


def scores(found: Sequence[Score]) -> Figure:
    """Bars before, after and with random neurons edited instead, with 95 % intervals.

    Shares stand in one frame; metrics of another unit each in their own.
    """
    shares = [score for score in found if score.unit == "share"]
    others = [score for score in found if score.unit != "share"]
    groups = [group for group in (shares, *([score] for score in others)) if group]
    widths = [float(len(group)) for group in groups] or [1.0]
    figure, frames = _figure(widths, width=max(7.0, 1.7 * len(found) + 2.5))
    for axes, group in zip(frames, groups, strict=False):
        _bars(axes, group)
        if group is shares:
            axes.set(title="Share of cases", ylim=(0, 1.05))
        else:
            axes.set(title=group[0].unit)
    handles, labels = frames[0].get_legend_handles_labels()
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


def _figure(widths: Sequence[float], width: float) -> tuple[Figure, list[Any]]:
    """A figure `width` inches wide with frames side by side, their widths in the given ratio."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 3.6), dpi=120, layout="constrained")
    frames = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0].tolist()
    for axes in frames:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, frames
