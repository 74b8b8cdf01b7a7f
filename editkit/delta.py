"""What to add: float32 rows for chosen neurons of chosen W_out matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from editkit.neuron import Neuron


@dataclass(frozen=True)
class LayerDelta:
    """The change of one W_out (or one expert's).

    Attributes:
        layer: the decoder layer, counted from 0.
        expert: the expert, or None where the layer has one W_out.
        neurons: the rows that move, ascending and unique, `[k]`.
        rows: what is added to them, float32 `[k, d_model]`.
    """

    layer: int
    expert: int | None
    neurons: tuple[int, ...]
    rows: NDArray[np.float32]

    def __post_init__(self) -> None:
        if list(self.neurons) != sorted(set(self.neurons)):
            raise ValueError("a delta's neurons are ascending and unique")
        if self.rows.dtype != np.float32 or self.rows.ndim != 2 or len(self.rows) != len(self.neurons):
            raise ValueError(f"a delta's rows are float32 [{len(self.neurons)}, d_model]")


@dataclass(frozen=True)
class Delta:
    """The changes of all layers, by layer and expert."""

    layers: tuple[LayerDelta, ...]

    def neurons(self) -> tuple[Neuron, ...]:
        return tuple(Neuron(part.layer, index, part.expert) for part in self.layers for index in part.neurons)
