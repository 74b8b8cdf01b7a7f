"""Rows in the checkpoint's own dtype without torch: float32 to bits and back, rounded as torch rounds."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from editkit.checkpoint.tensorfile import BITS, Bits
from editkit.errors import PatchError

LARGEST: Final = {"F32": 0x7F7FFFFF, "F16": 0x7BFF, "BF16": 0x7F7F}  # bits of the largest finite values


def widen(bits: Bits, dtype: str) -> NDArray[np.float32]:
    """The float32 values of bits of any shape; exact for every dtype."""
    if dtype == "F32":
        return bits.view(np.float32)
    if dtype == "F16":
        return bits.view(np.float16).astype(np.float32)
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def rounded(values: NDArray[np.float32], dtype: str) -> Bits:
    """The nearest values of `dtype`, ties to even, as bits of the same shape.

    Raises:
        PatchError: a value is not finite, or becomes infinite in `dtype`.
    """
    bits = nearest(np.ascontiguousarray(values, np.float32), dtype)
    if not finite(bits, dtype):
        raise PatchError(f"the edited weights are too large for {dtype}: lower solve.max_ratio")
    return bits


def nearest(values: NDArray[np.float32], dtype: str) -> Bits:
    """The same as `rounded`, where what is too large becomes infinite, or NaN."""
    if dtype == "F32":
        return values.view(BITS[dtype])
    if dtype == "F16":
        with np.errstate(all="ignore"):
            return values.astype(np.float16).view(BITS[dtype])
    wide = values.view(np.uint32)
    # Adding just under half of what is cut off carries into the kept half when it should; one more for odd.
    carried = wide + (((wide >> np.uint32(16)) & np.uint32(1)) + np.uint32(0x7FFF))
    # The carry could turn a NaN into a number, so every value that is not finite stays not finite by hand.
    return np.where(np.isfinite(values), carried >> np.uint32(16), np.uint32(0x7FC0)).astype(BITS[dtype])


def edited_rows(original: Bits, delta: NDArray[np.float32], dtype: str) -> Bits:
    """`round(float32(original) + delta)`: what PEFT's merge makes of the same numbers.

    Raises:
        PatchError: a value is not finite, or becomes infinite in `dtype`.
    """
    with np.errstate(all="ignore"):
        return rounded(widen(original, dtype) + delta, dtype)


def finite(bits: Bits, dtype: str) -> bool:
    """Whether no value is NaN or infinite."""
    return bool(np.isfinite(widen(bits, dtype)).all())


def exact_delta(original: Bits, edited: Bits, dtype: str, kept: str = "F32") -> NDArray[np.float32]:
    """What to add: `edited_rows(original, exact_delta(original, edited, dtype), dtype)` is `edited`.

    Bit for bit wherever there is such a number, as there is for all rows that came from a delta; else it is
    the one that comes nearest. The rounded difference of the two misses by a step where the sum falls on the
    border between two values, so its neighbours are tried as well.

    Args:
        original, edited: bits of `dtype`, of one shape.
        kept: the dtype that the result has to fit into.

    Returns:
        Float32 of the same shape.
    """
    before, after = widen(original, dtype), widen(edited, dtype)
    largest = float(widen(np.array(LARGEST[kept], BITS[kept]), kept))
    difference = np.clip(after.astype(np.float64) - before, -largest, largest).astype(np.float32)
    # Adding 0 to -0 gives 0; adding -0 changes nothing at all.
    best = np.where(original == edited, np.float32(-0.0), widen(nearest(difference, kept), kept))
    distance = _distance(original, edited, best, dtype)
    for steps in (1, -1):
        tried = _stepped(best, steps, kept)
        missed = _distance(original, edited, tried, dtype)
        best, distance = np.where(missed < distance, tried, best), np.minimum(missed, distance)
    return best


def _distance(original: Bits, edited: Bits, delta: NDArray[np.float32], dtype: str) -> NDArray[np.float64]:
    """How far each sum is from what it should be: 0 if the bits are the same, infinite if it overflows."""
    with np.errstate(all="ignore"):
        found = nearest(widen(original, dtype) + delta, dtype)
        missed = np.abs(widen(found, dtype).astype(np.float64) - widen(edited, dtype))
    # The two zeros differ in bits alone.
    missed = np.where((missed == 0) & (found != edited), np.finfo(np.float64).tiny, missed)
    return np.where(np.isfinite(missed), missed, np.inf)


def _stepped(values: NDArray[np.float32], steps: int, dtype: str) -> NDArray[np.float32]:
    """The values of `dtype` so many places further up; the largest stays where it is."""
    bits = nearest(values, dtype)
    sign = bits.dtype.type(1 << (8 * bits.dtype.itemsize - 1))
    size = (bits & ~sign).astype(np.int64)
    place = np.clip(np.where(bits & sign, -size, size) + steps, -LARGEST[dtype], LARGEST[dtype])
    return widen(np.where(place < 0, sign, 0).astype(bits.dtype) | np.abs(place).astype(bits.dtype), dtype)
