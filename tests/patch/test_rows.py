"""Rounding is torch's, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from editkit.errors import PatchError
from editkit.patch.rows import edited_rows, exact_delta, finite, rounded, widen

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


def solved(data: st.DataObject, dtype: str) -> tuple[Any, Any, Any]:
    """Rows, what a solver adds to them, and what comes of it."""
    largest = float(np.float32(LARGEST[dtype]))
    floats = st.floats(-largest / 4, largest / 4, width=32, allow_subnormal=True)
    original, delta = (data.draw(arrays(np.float32, (4, 16), elements=floats)) for _ in range(2))
    bits = rounded(original, dtype)
    # Alike in size as well as from anywhere: there the sum cancels, and falls between two values.
    near = data.draw(st.booleans())
    delta = (delta / np.float32(largest) * widen(bits, dtype)).astype(np.float32) if near else delta
    return bits, delta, edited_rows(bits, delta, dtype)


@DTYPES
@given(data=st.data())
@settings(max_examples=300)
def test_what_a_solver_added_is_found_bit_for_bit(dtype: str, data: st.DataObject) -> None:
    original, _, edited = solved(data, dtype)
    found = exact_delta(original, edited, dtype)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert (edited_rows(original, found, dtype) == edited).all()


def test_ties_at_a_border_of_exponents_are_found_too() -> None:
    """There the plain difference of the two misses half of them: it is a tie itself, and rounds wrongly."""
    odd = np.arange(1, 2**20, 2)
    original = rounded(odd.astype(np.float32), "F32")
    edited = edited_rows(original, (-(2**24) - odd - 1).astype(np.float32), "F32")
    assert (widen(edited, "F32") == -(2**24)).all()
    plain = widen(edited, "F32") - widen(original, "F32")
    assert np.mean(edited_rows(original, plain, "F32") != edited) == 0.5
    assert (edited_rows(original, exact_delta(original, edited, "F32"), "F32") == edited).all()


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
@given(data=st.data())
def test_one_that_fits_into_half_is_the_best_of_all(dtype: str, data: st.DataObject) -> None:
    """Against every one of the 65,536 that there are."""
    every = np.arange(2**16, dtype=np.uint16)
    every = every[np.isfinite(widen(every, dtype))]
    original, _, edited = (part[:1, :4] for part in solved(data, dtype))
    found = exact_delta(original, edited, dtype, dtype)
    assert (widen(rounded(found, dtype), dtype) == found).all()
    reached = widen(edited_rows(original, found, dtype), dtype).astype(np.float64)
    missed = np.abs(reached - widen(edited, dtype))
    for number, (old, new) in enumerate(zip(original[0], edited[0], strict=True)):
        with np.errstate(over="ignore"):
            sums = widen(np.array([old]), dtype) + widen(every, dtype)
        sums = sums[np.abs(sums) < LARGEST[dtype]]
        best = np.abs(widen(rounded(sums, dtype), dtype).astype(np.float64) - widen(np.array([new]), dtype))
        assert missed[0, number] == best.min()


@DTYPES
def test_zeros_keep_their_sign_where_adding_can(dtype: str) -> None:
    zero, below = rounded(np.array([0.0, -0.0], np.float32), dtype)
    pairs = np.array([[zero, zero], [below, below], [below, zero]])
    original, edited = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
    assert (edited_rows(original, exact_delta(original, edited, dtype), dtype) == edited).all()
    # In float32 nothing added to 0 gives -0; in half precision what is rounded away does.
    upon = edited_rows(zero[None], exact_delta(zero[None], below[None], dtype), dtype)
    assert upon == (zero if dtype == "F32" else below)


@DTYPES
def test_where_nothing_reaches_the_nearest_is_given(dtype: str) -> None:
    original = rounded(np.array([1000.0, -LARGEST[dtype]], np.float32), dtype)
    edited = rounded(np.array([1e-7, LARGEST[dtype]], np.float32), dtype)
    found = exact_delta(original, edited, dtype)
    assert np.isfinite(found).all()
    assert edited_rows(original[:1], found[:1], dtype).tolist() == [0]


@DTYPES
def test_a_row_that_stays_adds_nothing(dtype: str) -> None:
    row = rounded(np.linspace(-2, 2, 7, dtype=np.float32), dtype)
    assert not exact_delta(row, row, dtype).any()
