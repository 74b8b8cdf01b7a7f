"""Which tokens of a picture show a region of it."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

from editkit.model.sight import PicturePlace
from editkit.region import Region

SAMPLES: Final = 8  # along each side of a cell


def coverage(place: PicturePlace, region: Region) -> Tensor:
    """How much of each cell of the picture's grid a region covers, float32 `[rows, columns]`.

    Cells that show what is beyond the picture's border are not covered.

    Raises:
        ValueError: the picture's tokens are no plain grid.
    """
    if place.grid is None:
        raise ValueError("tokens that are no grid have no cells")
    rows, columns = place.grid
    left, top, right, bottom = place.area
    mask = region.mask()
    x = left + (right - left) * (np.arange(columns * SAMPLES) + 0.5) / (columns * SAMPLES)
    y = top + (bottom - top) * (np.arange(rows * SAMPLES) + 0.5) / (rows * SAMPLES)
    inside = ((y >= 0) & (y < 1))[:, None] & ((x >= 0) & (x < 1))[None]
    across = np.clip((x * region.width).astype(int), 0, region.width - 1)
    down = np.clip((y * region.height).astype(int), 0, region.height - 1)
    shown = (mask[down[:, None], across[None]] & inside).reshape(rows, SAMPLES, columns, SAMPLES)
    return torch.from_numpy(shown.mean(axis=(1, 3)).astype(np.float32))


def showing(place: PicturePlace, region: Region) -> Tensor:
    """The columns of a fed sequence whose tokens show a region, int64 `[n]`, one at least.

    As many cells as the region's area is worth, those it covers most; all of the picture's tokens where
    they are no plain grid.
    """
    if place.grid is None:
        return place.columns
    covered = coverage(place, region).flatten()
    count = max(1, round(float(covered.sum())))
    best = covered.sort(descending=True, stable=True).indices[:count].sort().values
    return place.view[best]
