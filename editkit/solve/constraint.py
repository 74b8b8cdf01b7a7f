"""The bound on the change: no row moves by more than `max_ratio` times its own norm."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def project(delta: Tensor, bound: Tensor) -> None:
    """Shrink, in place, every row of `delta` `[k, d_model]` that is longer than `bound` `[k]`."""
    norms = delta.norm(dim=1)
    delta.mul_((bound / norms.clamp(min=1e-12)).clamp(max=1.0)[:, None])


@torch.no_grad()
def fit(delta: Tensor, rows: Tensor, bound: Tensor) -> Tensor:
    """A delta whose rounded effect keeps the bound too.

    Args:
        delta: float32 `[k, d_model]`.
        rows: the rows it is added to, in the model's dtype, `[k, d_model]`.
        bound: the longest change allowed for each row, `[k]`.

    Returns:
        The delta, rows shortened where rounding to the model's dtype would carry them over the bound.
    """
    fitted = delta.clone()
    for attempt in range(49):
        rounded = (rows.float() + fitted).to(rows.dtype).float() - rows.float()
        over = rounded.norm(dim=1) > bound * (1 + 1e-6)
        if not bool(over.any()):
            break
        # A change as small as the rounding itself may not fit however short it is: then the row stays.
        fitted[over] *= 1 - 2.0**-9 * 1.1**attempt if attempt < 48 else 0.0
    return fitted
