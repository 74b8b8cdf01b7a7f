"""A neuron that several patches change."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import PatchError
from editkit.neuron import MatrixKey
from editkit.patch.algebra import RULES, merged
from editkit.patch.overlap import nearest
from editkit.patch.rows import widen
from editkit.patch.verify import verify
from tests.patch.tensors import Bases, content, patch_of


@pytest.mark.parametrize("matrix", [(0, None), (1, None), (2, 1), (3, 1)])
def test_a_neuron_in_two_patches(bases: Bases, matrix: MatrixKey) -> None:
    base = bases("BF16")
    a = patch_of(base, {(matrix, 1): 1, (matrix, 2): 5}, 1)
    b = patch_of(base, {(matrix, 2): 6, (matrix, 4): 4}, 2)
    same = patch_of(base, {(matrix, 2): 5}, 3)
    assert content(merged([a, same])) == content(a)  # without the base: nothing new
    expert = "" if matrix[1] is None else f"E{matrix[1]}."
    with pytest.raises(PatchError, match=f"^L{matrix[0]}.{expert}N2: two patches.*--overlap first, last or"):
        merged([a, b], checkpoint=base)
    first, last, total = (merged([a, b], overlap=rule, checkpoint=base) for rule in RULES[1:])
    assert content(first) == content(patch_of(base, {(matrix, 1): 1, (matrix, 2): 5, (matrix, 4): 4}))
    assert content(last) == content(patch_of(base, {(matrix, 1): 1, (matrix, 2): 6, (matrix, 4): 4}))
    assert content(total) == content(merged([b, a], overlap="sum", checkpoint=base))
    verify(total, base)
    (entry,), (one,), (other,) = total.entries, a.entries, b.entries
    before, after = (widen(rows, "BF16").astype(np.float64) for rows in (entry.original, entry.edited))
    changed = [widen(e.edited, "BF16").astype(np.float64)[at] - before[1] for e, at in ((one, 1), (other, 0))]
    exact = torch.from_numpy(before[1] + changed[0] + changed[1])
    assert torch.equal(torch.from_numpy(after[1]).bfloat16(), exact.bfloat16())


@given(
    values=st.lists(st.floats(-1e30, 1e30, width=64), min_size=1, max_size=8),
    dtype=st.sampled_from(["F32", "BF16"]),
)
def test_float64_is_rounded_once(values: list[float], dtype: str) -> None:

    exact = np.array(values, np.float64)
    bits = nearest(exact, dtype)
    for at, value in enumerate(values):
        near = [int(bits[at]) + step for step in (-1, 0, 1)]
        whole = np.array([one & (0xFFFF if dtype == "BF16" else 0xFFFFFFFF) for one in near], bits.dtype)
        rounded = widen(whole, dtype)
        gaps = [abs(Fraction(float(one)) - Fraction(value)) if np.isfinite(one) else None for one in rounded]
        assert gaps[1] == min(gap for gap in gaps if gap is not None)
        ties = [step for step in (0, 2) if gaps[step] == gaps[1] and rounded[step] != rounded[1]]
        assert not ties or int(bits[at]) % 2 == 0
