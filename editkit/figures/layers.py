"""Which layers the neurons are in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from editkit.figures.canvas import GREYS, figure, frames, whole_numbers
from editkit.figures.lettering import plain
from editkit.neuron import Neurons

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def neurons_per_layer(neurons: Neurons) -> Figure:
    """How many neurons each layer gives, and how the scores fall with rank."""
    found, (left, right) = frames([1.0, 1.0], width=9.0)
    counts = Counter(neuron.layer for neuron in neurons)
    layers = range(max(counts, default=0) + 1)
    left.bar(list(layers), [counts[layer] for layer in layers], color=GREYS[0])
    left.set(title="Neurons per layer", xlabel="layer", ylabel="neurons")
    whole_numbers(left, "x", "y")
    right.plot(range(1, len(neurons) + 1), neurons.scores, color=GREYS[0], marker=".")
    right.set(title=f"Score against rank ({neurons.method})", xlabel="rank", ylabel="score")
    whole_numbers(right, "x")
    return found


def layer_profiles(rankings: Mapping[str, Neurons], n_layers: int, title: str = "") -> Figure:
    """For each ranking a histogram of its neurons' layers, one above the other, as shares of the ranking.

    Args:
        rankings: what stands beside each histogram (a localizer, a concept) -> its neurons.
    """
    count = max(1, len(rankings))
    found = figure(max(5.0, 2.2 + 0.22 * n_layers), 1.0 + 0.85 * count)
    best = 0.0
    rows = found.subplots(count, 1, squeeze=False, sharex=True, sharey=True)[:, 0].tolist()
    for axes, (name, neurons) in zip(rows, rankings.items(), strict=False):
        counts = Counter(neuron.layer for neuron in neurons)
        shares = [counts[layer] / max(1, len(neurons)) for layer in range(n_layers)]
        best = max(best, *shares)
        axes.bar(range(n_layers), shares, width=0.8, color=GREYS[0])
        for layer, share in enumerate(shares):
            if counts[layer] and n_layers <= 16:
                axes.annotate(str(counts[layer]), (layer, share), ha="center", va="bottom", fontsize=7)
        axes.set_ylabel(plain(name), rotation=0, ha="right", va="center")
        axes.spines[["top", "right"]].set_visible(False)
    rows[0].set_ylim(0, 1.3 * max(best, 0.01))
    rows[0].locator_params(axis="y", nbins=3)
    rows[-1].set(xlabel="layer", xlim=(-0.6, n_layers - 0.4))
    whole_numbers(rows[-1], "x")
    found.suptitle(plain(title) or "Share of the neurons in each layer, and how many they are", fontsize=11)
    return found
