"""What neurons emit over one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from editkit.neuron import Neuron


@dataclass(frozen=True)
class Heat:
    """Some neurons' values at the tokens of one picture: what they emit there, or what they take from there.

    Attributes:
        neurons: `n_neurons` of them.
        values: float32 `[n_neurons, rows, columns]` where the tokens are a plain grid, else `[n_neurons,
            n_tokens]`; no tokens where the neurons never meet the picture.
        grid: rows and columns, None without a grid.
        area: what part of the picture the grid shows: left, top, right and bottom in fractions of its sides,
            beyond 0 and 1 where it was padded.
        note: what the tokens are, in words.
    """

    neurons: tuple[Neuron, ...]
    values: NDArray[np.float32]
    grid: tuple[int, int] | None
    area: tuple[float, float, float, float]
    note: str

    def top(self, count: int) -> Heat:
        """The first neurons alone."""
        return replace(self, neurons=self.neurons[:count], values=self.values[:count])

    def mean(self, weights: Sequence[float] | None = None) -> NDArray[np.float32]:
        """The mean over the neurons, `[rows, columns]` or `[n_tokens]`; each times its weight, where given.

        Behind a gate the sign of an activation means nothing by itself: a neuron with its row and its up
        branch negated is the same neuron. Weights with the sign of row . unembedding say what pushes a word.
        """
        if weights is None:
            return np.asarray(self.values.mean(0), dtype=np.float32)
        factors = np.asarray(weights, dtype=np.float32)
        return np.asarray(np.tensordot(factors, self.values, 1) / len(factors), dtype=np.float32)
