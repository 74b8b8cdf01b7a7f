"""The tokens that neurons point to, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from editkit.figures.canvas import figure
from editkit.figures.lettering import plain, token
from editkit.neuron import Neurons

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def decoded(neurons: Neurons, tokens: Sequence[Sequence[str]], title: str = "") -> Figure:
    """One row a neuron: its rank, name, score, layer and the tokens it promotes most, best first.

    Args:
        tokens: as many for each neuron, see `Editable.decoded`. Any text may be in them.
    """
    shown = [
        (str(rank), str(neuron), f"{score:.3g}", str(neuron.layer), *map(token, own))
        for rank, (neuron, score, own) in enumerate(zip(neurons, neurons.scores, tokens, strict=True), 1)
    ]
    n_tokens = max((len(own) for own in tokens), default=0)
    head = ("rank", "neuron", "score", "layer", *(f"token {at}" for at in range(1, n_tokens + 1)))
    cells = [row + ("",) * (len(head) - len(row)) for row in shown]
    widths = [max(len(row[at].replace("\\$", "$")) for row in (head, *cells)) + 2 for at in range(len(head))]
    found = figure(0.085 * sum(widths) + 0.4, 0.24 * (len(cells) + 1) + 0.7)
    axes = found.subplots()
    axes.set(xlim=(0, sum(widths)), ylim=(len(cells) + 0.6, -0.6))
    axes.set_axis_off()
    for at, row in enumerate((head, *cells)):
        left = 0
        if at % 2 == 0 and at:
            axes.axhspan(at - 0.5, at + 0.5, color="#f0f0f0", linewidth=0)
        for width, cell in zip(widths, row, strict=True):
            bold = "bold" if at == 0 else "normal"
            axes.text(left + 0.5, at, cell, va="center", fontsize=8, fontweight=bold)
            left += width
    axes.axhline(0.5, color="black", linewidth=0.8)
    axes.set_title(plain(title) or f"Tokens of the neurons ({neurons.method})", loc="left", fontsize=11)
    return found
