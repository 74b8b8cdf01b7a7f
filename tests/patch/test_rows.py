"""Rounding is torch's, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from editkit.errors import PatchError
from editkit.patch.rows import edited_rows, finite, rounded, widen

TORCH = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
LARGEST = {"F32": 3.4e38, "F16": 65000.0, "BF16": 3.38e38}
DTYPES = pytest.mark.parametrize("dtype", TORCH)


def by_torch(values: np.ndarray, dtype: str) -> np.ndarray:
    raw = torch.from_numpy(values.copy()).to(TORCH[dtype])
    return (
        raw.view(torch.int32 if dtype == "F32" else torch.int16)
        .numpy()
        .view("<u4" if dtype == "F32" else "<u2")
    )


@DTYPES
@given(data=st.data())
def test_rounding_is_torchs(dtype: str, data: st.DataObject) -> None:
    largest = float(np.float32(LARGEST[dtype]))
    floats = st.floats(-largest, largest, width=32, allow_subnormal=True)
    values = data.draw(arrays(np.float32, (4, 16), elements=floats))
    assert (rounded(values, dtype) == by_torch(values, dtype)).all()


@DTYPES
def test_every_tie_and_its_neighbours_round_as_torchs(dtype: str) -> None:
    halves = np.arange(2**16, dtype=np.uint32) << np.uint32(16)
    for low in (0x0000, 0x0FFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0x8001, 0xFFFF):
        values = (halves + np.uint32(low)).view(np.float32)
        values = values[np.abs(values) < LARGEST[dtype]]
        assert (rounded(values, dtype) == by_torch(values, dtype)).all()


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_widening_is_torchs_and_loses_nothing(dtype: str) -> None:
    bits = np.arange(2**16, dtype=np.uint16)
    values = widen(bits, dtype)
    known = torch.from_numpy(bits.view(np.int16)).view(TORCH[dtype]).to(torch.float32).numpy()
    assert np.array_equal(values, known, equal_nan=True)
    numbers = np.isfinite(values)
    assert (rounded(values[numbers], dtype) == bits[numbers]).all()


@DTYPES
def test_an_edited_row_is_the_rounded_sum(dtype: str) -> None:
    draw = np.random.default_rng(0)
    original = rounded(draw.normal(size=(3, 5)).astype(np.float32), dtype)
    delta = draw.normal(size=(3, 5)).astype(np.float32)
    assert (edited_rows(original, delta, dtype) == by_torch(widen(original, dtype) + delta, dtype)).all()


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(65520.0, "F16"), (-1e6, "F16"), (3.4e38, "BF16"), (np.inf, "F32"), (-np.inf, "BF16")]
    + [(np.nan, dtype) for dtype in TORCH],
)
def test_what_does_not_fit_is_refused(value: float, dtype: str) -> None:
    with pytest.raises(PatchError, match=f"too large for {dtype}"):
        rounded(np.array([0.0, value], np.float32), dtype)


def test_a_sum_that_overflows_is_refused() -> None:
    most = np.array([3e38], np.float32)
    with pytest.raises(PatchError, match="too large"):
        edited_rows(rounded(most, "F32"), most, "F32")


def test_every_nan_of_float32_stays_refused_in_bf16() -> None:
    nans = np.array([0x7FFFFFFF, 0xFFFFFFFF, 0x7F800001, 0xFFC00000], np.uint32).view(np.float32)
    for value in nans:
        with pytest.raises(PatchError, match="too large"):
            rounded(np.array([value]), "BF16")


@DTYPES
def test_finite_finds_one_nan_among_many(dtype: str) -> None:
    bits = rounded(np.ones((4, 4), np.float32), dtype)
    assert finite(bits, dtype)
    bits[2, 3] = {"F32": 0x7FC00000, "F16": 0x7E00, "BF16": 0x7F80}[dtype]
    assert not finite(bits, dtype)
