"""Localizers side by side: every metric with its spread, and how many neurons they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from editkit.figures.canvas import FILLS, figure, wrapped_frames
from editkit.figures.lettering import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def comparison(metrics: Mapping[str, Mapping[str, Sequence[float]]], title: str = "") -> Figure:
    """A frame for each metric, a bar for each localizer: the mean over seeds, each seed as a dot.

    Args:
        metrics: metric -> localizer -> one value a seed; a localizer without any has no bar.
    """
    names = list(dict.fromkeys(name for own in metrics.values() for name in own))
    found, every = wrapped_frames(max(1, len(metrics)), 3, 3.6, 0.8 + 0.3 * max(1, len(names)))
    for axes, (metric, own) in zip(every, metrics.items(), strict=False):
        for at, name in enumerate(names):
            values = own.get(name, ())
            if not len(values):
                continue
            fill, hatch = FILLS[at % len(FILLS)]
            axes.barh(at, np.mean(values), color=fill, hatch=hatch, edgecolor="black", linewidth=0.6)
            spread = np.linspace(-0.15, 0.15, len(values)) if len(values) > 1 else [0.0]
            axes.scatter(values, at + np.asarray(spread), s=9, color="white", edgecolor="black", zorder=3)
        axes.set_yticks(range(len(names)), [plain(name) for name in names], fontsize=8)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.axvline(0, color="black", linewidth=0.6)
        axes.set_title(plain(metric), fontsize=9)
    found.suptitle(plain(title) or "Localizers compared (bars: means, dots: seeds)", fontsize=11)
    return found


def overlap(names: Sequence[str], shares: ArrayLike, title: str = "") -> Figure:
    """How much of one ranking is in another, as a table in grey; NaN stays empty.

    Args:
        shares: `[n, n]` from 0 to 1.
    """
    values = np.asarray(shares, dtype=np.float64)
    side = 1.6 + 0.55 * max(1, len(names))
    found = figure(side + 0.6, side)
    axes = found.subplots()
    if len(names):
        axes.imshow(values, cmap="Greys", vmin=0, vmax=1)
    labels = [plain(name) for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set_yticks(range(len(names)), labels, fontsize=8)
    for (row, column), share in np.ndenumerate(values):
        if np.isfinite(share):
            ink = "white" if share > 0.55 else "black"
            axes.text(column, row, f"{share:.2f}", ha="center", va="center", fontsize=8, color=ink)
    axes.set_title(plain(title) or "Share of the neurons in common", fontsize=10)
    return found
