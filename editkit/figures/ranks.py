"""How scores fall with rank, and how they are spread over all neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from editkit.figures.canvas import GREYS, frames, line, wrapped_frames
from editkit.figures.lettering import plain
from editkit.neuron import Neurons

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS: Final = 60


def score_against_rank(rankings: Mapping[str, Neurons], *, relative: bool, title: str = "") -> Figure:
    """The scores of several rankings (localizers, concepts), best first, ranks on a logarithmic axis.

    Args:
        relative: as shares of each ranking's best score: what localizers of different units need.
    """
    found, (axes,) = frames([1.0], width=7.0, height=4.0)
    for at, (name, neurons) in enumerate(rankings.items()):
        values = np.asarray(neurons.scores, dtype=np.float64)
        best = values[0] if relative and len(values) and values[0] else 1.0
        marks = dict(line(at), markevery=_spread(len(values), at))
        axes.plot(np.arange(1, len(values) + 1), values / best, label=plain(name), **marks)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set(xlabel="rank (logarithmic)", ylabel="score / best score" if relative else "score")
    if any(len(neurons) for neurons in rankings.values()):
        axes.set_xscale("log")
    axes.set_title(plain(title) or "Score against rank")
    if rankings:
        axes.legend(frameon=False)
    return found


def _spread(count: int, at: int) -> list[int]:
    """Where a line has marks: evenly on a logarithmic axis, not at the same places as its neighbours."""
    places = np.geomspace(1, max(count, 1), 9) * 1.08**at
    return sorted({min(int(place), count) - 1 for place in places} - {-1})


def score_distributions(scores: Mapping[str, ArrayLike], title: str = "") -> Figure:
    """How often each score is given, over all neurons; counts on a logarithmic axis, a frame for each.

    Args:
        scores: what stands above a frame -> the score of every neuron; those ruled out (-inf) are counted
            in the frame's title.
    """
    found, every = wrapped_frames(max(1, len(scores)), 3, 3.4, 2.6)
    for axes, (name, given) in zip(every, scores.items(), strict=False):
        values: NDArray[Any] = np.asarray(given, dtype=np.float64).ravel()
        finite = values[np.isfinite(values)]
        out = len(values) - len(finite)
        axes.hist(finite, bins=BINS, color=GREYS[0])
        if len(finite):
            axes.set_yscale("log")
        axes.axvline(0, color="black", linewidth=0.6)
        ruled = f", {out:,} ruled out" if out else ""
        axes.set_title(f"{plain(name)}\n{len(finite):,} neurons{ruled}", fontsize=9)
        axes.set(xlabel="score", ylabel="neurons")
    found.suptitle(plain(title) or "Scores of all neurons", fontsize=11)
    return found
