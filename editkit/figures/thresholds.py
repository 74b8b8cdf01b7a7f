"""Where a filter cuts: what chance gives, what was observed, and the threshold between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from editkit.figures.canvas import frames
from editkit.figures.lettering import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS: Final = 1_000


@dataclass(frozen=True)
class Cut:
    """One stage of a filter.

    Attributes:
        observed: every neuron's score; `null` those that chance gave, empty where the threshold was set by
            hand.
        quantile: the share of null scores below the threshold, None where it was set by hand.
    """

    name: str
    unit: str
    threshold: float
    observed: ArrayLike
    null: ArrayLike = ()
    quantile: float | None = None


def thresholds(cuts: Sequence[Cut], title: str = "") -> Figure:
    """For each stage the share of neurons above every score, observed and by chance, and where it cuts."""
    found, every = frames([1.0] * max(1, len(cuts)), width=4.8 * max(1, len(cuts)), height=3.8)
    for axes, cut in zip(every, cuts, strict=False):
        _stage(axes, cut)
    found.suptitle(plain(title) or "Thresholds", fontsize=11)
    return found


def _stage(axes: Axes, cut: Cut) -> None:
    seen, null = _finite(cut.observed), _finite(cut.null)
    for values, name, stroke, color in (
        (null, "by chance", "--", "#888888"),
        (seen, "observed", "-", "#1f4e79"),
    ):
        if len(values):
            axes.plot(*survival(values), stroke, color=color, label=f"{name} ({len(values):,})")
    axes.axvline(
        cut.threshold, color="black", linestyle="-.", linewidth=0.9, label=f"threshold {cut.threshold:.3g}"
    )
    how = "set by hand"
    if cut.quantile is not None:
        how = f"{cut.quantile:.4g} of chance below"
        axes.axhline(1 - cut.quantile, color="black", linewidth=0.6, linestyle=":")
    kept = int((seen > cut.threshold).sum())
    axes.set_title(f"{plain(cut.name)}: {kept:,} of {len(seen):,} neurons above\n({how})", fontsize=9)
    axes.set(xlabel=plain(cut.unit), ylabel="share of neurons above", yscale="log")
    lows = [np.quantile(values, 0.02) for values in (seen, null) if len(values)]
    if lows and min(lows) < cut.threshold:
        axes.set_xlim(left=min(lows))  # what is below says nothing of what is kept
    axes.legend(frameon=False, fontsize=8, loc="upper right")


def _finite(values: ArrayLike) -> NDArray[Any]:
    found: NDArray[Any] = np.asarray(values, dtype=np.float64).ravel()
    finite: NDArray[Any] = found[np.isfinite(found)]
    return finite


def survival(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Scores ascending and the share of values that are at least as high, at most `POINTS` of them.

    The highest are all there: the tail is what a threshold is about.
    """
    ordered = np.sort(values)
    shares = 1.0 - np.arange(len(ordered)) / len(ordered)
    if len(ordered) > POINTS:
        body = np.linspace(0, len(ordered) - 1, POINTS // 2)
        tail = len(ordered) - np.geomspace(1, len(ordered), POINTS // 2)
        chosen = np.unique(np.concatenate([body, tail]).round().astype(int).clip(0))
        ordered, shares = ordered[chosen], shares[chosen]
    return ordered, shares
