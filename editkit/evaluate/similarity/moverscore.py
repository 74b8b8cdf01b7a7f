"""MoverScore (Zhao et al. 2019), written anew: how far one text's words have to move to be the other's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from editkit.evaluate.similarity.encoder import Encoder
from editkit.evaluate.similarity.measure import Remembered
from editkit.evaluate.similarity.transport import transport

if TYPE_CHECKING:
    from torch import Tensor


class MoverScore(Remembered):
    """`1 - d / 2`, in [0, 1]: d is the least cost of moving the one text's tokens onto the other's.

    A token's place is its state after one layer of the encoder, at length 1; moving costs the Euclidean
    distance, which is at most 2. As in the paper's unigram form (WMD-1), special tokens do not count. Ours:
    one layer instead of means over several, equal weights where none are given, and the scale.
    """

    asks: ClassVar[Literal["encoder", "bleurt"]] = "encoder"

    def __init__(self, encoder: Encoder, weights: Mapping[int, float] | None = None) -> None:
        """`weights`: by token, such as inverse document frequencies; tokens that are not in it weigh 1."""
        self.encoder = encoder
        self.weights = weights or {}
        super().__init__("moverscore", self._near, f"{encoder.name}, layer {encoder.layer}")

    def _near(self, candidates: list[str], references: list[str]) -> list[float]:
        texts = list(dict.fromkeys([*candidates, *references]))
        placed = dict(zip(texts, self.encoder.vectors(texts), strict=True))
        return [
            1.0 - self._distance(one, other, placed) / 2
            for one, other in zip(candidates, references, strict=True)
        ]

    def _distance(self, one: str, other: str, placed: Mapping[str, Tensor]) -> float:
        if not len(placed[one]) or not len(placed[other]):
            return 2.0
        costs = (placed[one][:, None] - placed[other][None]).norm(dim=-1).double().numpy()
        return transport(self._mass(one), self._mass(other), costs)

    def _mass(self, text: str) -> NDArray[np.float64]:
        tokens = [token for token in self.encoder.tokens(text) if token not in self.encoder.special]
        mass = np.array([self.weights.get(token, 1.0) for token in tokens])
        return mass / mass.sum() if mass.sum() > 0 else np.full(len(tokens), 1 / len(tokens))
