"""Rows in the checkpoint's own dtype without torch: float32 to bits and back, rounded as torch rounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from editkit.checkpoint.tensorfile import BITS, Bits
from editkit.errors import PatchError


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
    bits = _nearest(np.ascontiguousarray(values, np.float32), dtype)
    if not finite(bits, dtype):
        raise PatchError(f"the edited weights are too large for {dtype}: lower solve.max_ratio")
    return bits


def _nearest(values: NDArray[np.float32], dtype: str) -> Bits:
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
