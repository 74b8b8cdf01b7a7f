"""Rows that several patches bring for one matrix: one row for each neuron, by a rule where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from editkit.checkpoint.tensorfile import BITS, Bits
from editkit.errors import PatchError
from editkit.patch.rows import finite, widen

Overlap = Literal["refuse", "first", "last", "sum"]


@dataclass(frozen=True, eq=False)
class Part:
    """Neurons int64 `[k]`, ascending and unique, and their rows' bits `[k, d_model]` before and after."""

    neurons: NDArray[np.int64]
    original: Bits
    edited: Bits

    def only(self, chosen: NDArray[Any]) -> Part:
        return Part(self.neurons[chosen], self.original[chosen], self.edited[chosen])

    @property
    def moved(self) -> Part:
        """Without the rows whose bits stay as they were."""
        return self.only((self.original != self.edited).any(axis=1))

    def same(self, other: Part) -> bool:
        return np.array_equal(self.neurons, other.neurons) and np.array_equal(self.edited, other.edited)


def beside(parts: Sequence[Part], dtype: str, overlap: Overlap, name: str) -> Part:
    """The parts, all made on one and the same matrix, as one.

    Args:
        dtype: of the rows.
        name: what the matrix is called in a message, such as `L12.` or `L12.E3.`.

    Raises:
        PatchError: a neuron is changed in two ways and nobody said which counts; or the sum does not fit
            the dtype; or the parts contradict each other about a row before.
    """
    neurons = np.concatenate([part.neurons for part in parts])
    original = np.concatenate([part.original for part in parts])
    edited = np.concatenate([part.edited for part in parts])
    unique, group = np.unique(neurons, return_inverse=True)
    # Written from the last to the first, so the first of each group is what stays.
    first = np.empty(len(unique), np.int64)
    first[group[::-1]] = np.arange(len(neurons))[::-1]
    last = np.empty(len(unique), np.int64)
    last[group] = np.arange(len(neurons))
    if (original != original[first][group]).any():
        raise PatchError("the patches contradict each other about a row of their base")
    other = (edited != edited[first][group]).any(axis=1)
    if overlap == "refuse" and other.any():
        several = np.unique(neurons[other])
        more = f" and {len(several) - 1} more neurons" if len(several) > 1 else ""
        raise PatchError(
            f"{name}N{several[0]}{more}: two patches change it in different ways; say which counts with "
            "--overlap first, last or sum"
        )
    chosen = edited[last if overlap == "last" else first]
    if overlap == "sum":
        for at in np.unique(group[other]).tolist():
            rows = np.unique(edited[group == at], axis=0)
            chosen[at] = _sum(original[first[at]], rows, dtype, f"{name}N{unique[at]}")
    return Part(unique, original[first], chosen)


def _sum(original: Bits, edited: Bits, dtype: str, name: str) -> Bits:
    """`original` and the changes to each of the rows `[n, d_model]`, in float64, rounded once."""
    before = widen(original, dtype).astype(np.float64)
    bits = nearest(before + (widen(edited, dtype).astype(np.float64) - before).sum(axis=0), dtype)
    if not finite(bits, dtype):
        raise PatchError(f"{name}: the sum of the patches' changes is too large for {dtype}")
    return bits


def nearest(values: NDArray[np.float64], dtype: str) -> Bits:
    """The nearest values of `dtype`, ties to even, without float32 in between, which would round twice."""
    with np.errstate(over="ignore"):
        if dtype != "BF16":
            return values.astype(np.float16 if dtype == "F16" else np.float32).view(BITS[dtype])
        # Rounded to odd, float32 keeps what bfloat16 needs to know: whether anything was cut off.
        close = values.astype(np.float32)
        bits = close.view(np.uint32) - (np.abs(close) > np.abs(values))
        bits |= bits.view(np.float32) != values
    wide = bits.astype(np.uint32)
    return ((wide + (((wide >> 16) & 1) + 0x7FFF)) >> 16).astype(BITS[dtype])
