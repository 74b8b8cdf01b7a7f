"""The bound on every row's change, before and after rounding."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from editkit.solve.constraint import fit, project

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 40))


def drawn(shape: tuple[int, int], seed: int, scale: float = 1.0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * scale


@given(shape=SHAPES, seed=st.integers(0, 999), scale=st.floats(1e-3, 1e3), ratio=st.floats(1e-3, 10))
def test_projected_rows_keep_direction_and_bound(
    shape: tuple[int, int], seed: int, scale: float, ratio: float
) -> None:
    before, bound = drawn(shape, seed, scale), ratio * drawn(shape, seed + 1).norm(dim=1)
    after = before.clone()
    project(after, bound)
    assert bool((after.norm(dim=1) <= bound * (1 + 1e-5) + 1e-12).all())
    short = before.norm(dim=1) <= bound
    assert torch.allclose(after[short], before[short])
    again = after.clone()
    project(again, bound)
    assert torch.allclose(again, after, rtol=1e-5)
    cosine = torch.nn.functional.cosine_similarity(before.double(), after.double())
    assert torch.allclose(cosine, torch.ones_like(cosine), atol=1e-5)


def test_no_bound_moves_nothing_and_zero_stays_zero() -> None:
    delta = drawn((3, 4), 0)
    free = delta.clone()
    project(free, torch.full((3,), float("inf")))
    assert torch.equal(free, delta)
    nothing = torch.zeros(2, 4)
    project(nothing, torch.ones(2))
    assert torch.equal(nothing, torch.zeros(2, 4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@given(shape=SHAPES, seed=st.integers(0, 999), ratio=st.sampled_from([1e-4, 1e-3, 0.01, 0.1, 1.0, 4.0]))
def test_the_bound_holds_after_rounding(
    dtype: torch.dtype, shape: tuple[int, int], seed: int, ratio: float
) -> None:
    rows = drawn(shape, seed).to(dtype)
    bound = ratio * rows.float().norm(dim=1)
    delta = drawn(shape, seed + 1, 10.0)
    project(delta, bound)
    fitted = fit(delta, rows, bound)
    moved = (rows.float() + fitted).to(dtype).float() - rows.float()
    assert bool((moved.norm(dim=1) <= bound * (1 + 1e-3)).all())
    assert bool((fitted.norm(dim=1) <= delta.norm(dim=1) * (1 + 1e-6)).all())


def test_rows_that_fit_are_left_alone() -> None:
    rows, delta = drawn((3, 8), 0), drawn((3, 8), 1)
    assert torch.equal(fit(delta, rows, torch.full((3,), float("inf"))), delta)
