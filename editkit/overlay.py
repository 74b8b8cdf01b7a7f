"""Values on a grid of patches, laid over the picture they are of; and how much of them is on an object.

An `area` says what part of the picture the grid shows: left, top, right and bottom in fractions of its sides,
less than the whole where a model crops, beyond 0 and 1 where it pads.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from editkit.errors import InputError
from editkit.region import Region

Area = tuple[float, float, float, float]
Floats = NDArray[np.floating[Any]]

WHOLE: Final[Area] = (0.0, 0.0, 1.0, 1.0)


def laid(grid: Floats, height: int, width: int, area: Area = WHOLE) -> NDArray[np.float64]:
    """A grid `[rows, columns]`, bilinear over a picture: `[height, width]`, NaN where it is not shown.

    A cell's value stands at the cell's middle; beyond the outer middles it goes on as it is.
    """
    left, top, right, bottom = area
    down, across = _between(height, grid.shape[0], top, bottom), _between(width, grid.shape[1], left, right)
    found: NDArray[np.float64] = down @ grid.astype(np.float64) @ across.T
    return found


def _between(pixels: int, cells: int, low: float, high: float) -> NDArray[np.float64]:
    """What each cell counts at each pixel of one side, `[pixels, cells]`; NaN where it is not shown."""
    places = ((np.arange(pixels) + 0.5) / pixels - low) / (high - low) * cells - 0.5
    shown = (places >= -0.5) & (places <= cells - 0.5)
    places = places.clip(0, cells - 1)
    weights = (1 - np.abs(places[:, None] - np.arange(cells))).clip(0)
    return np.where(shown[:, None], weights, np.nan)


def scaled(values: Floats) -> NDArray[np.float64]:
    """Minimum to 0 and maximum to 1; what is the same everywhere becomes 0, NaN stays."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    found: NDArray[np.float64] = (values.astype(np.float64) - low) / (high - low or 1.0)
    return found


def hottest(values: Floats, percentile: float = 95.0) -> NDArray[np.bool_]:
    """Where the values are above their percentile, or at their maximum where that is no higher.

    Nothing is hottest where all values are the same.
    """
    limit, low, high = float(np.nanpercentile(values, percentile)), np.nanmin(values), np.nanmax(values)
    found: NDArray[np.bool_] = values > limit if limit < high else (values == high) & bool(high > low)
    return found


def concentration(grid: Floats, region: Region, area: Area = WHOLE) -> float:
    """Positive activation inside a region over the region's share of the area; 1 where there is no relation.

    A cell's activation counts as spread evenly over the cell, as it is known no finer: with a region that
    covers half of a cell, half of its activation is inside. Both shares are of what the grid shows of the
    picture. Where nothing is positive nothing is inside: 0.

    Args:
        grid: float `[rows, columns]`.

    Raises:
        InputError: the region is empty, or nothing of it is in the part that the grid shows.
    """
    inside, whole = _cells(region, (grid.shape[0], grid.shape[1]), area)
    if not inside.any():
        raise InputError("the region is empty in the part of the picture that the model looks at")
    positive = grid.astype(np.float64).clip(min=0)
    total = float((positive * whole).sum())
    if total == 0:
        return 0.0
    return float((positive * inside).sum() / total / (inside.sum() / whole.sum()))


def covered(region: Region, grid: tuple[int, int], area: Area = WHOLE) -> NDArray[np.float64]:
    """How much of each cell of a grid a region covers, in [0, 1], `[rows, columns]`.

    Of a cell beyond the picture's border nothing is covered.
    """
    inside, _ = _cells(region, grid, area)
    left, top, right, bottom = area
    size = (right - left) * region.width * (bottom - top) * region.height / (grid[0] * grid[1])
    found: NDArray[np.float64] = inside / size
    return found


def _cells(
    region: Region, grid: tuple[int, int], area: Area
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How many pixels of a region, and of the picture, are in each cell, `[rows, columns]` each."""
    left, top, right, bottom = area
    down = _shared(region.height, grid[0], top, bottom)
    across = _shared(region.width, grid[1], left, right)
    return down @ region.mask().astype(np.float64) @ across.T, np.outer(down.sum(1), across.sum(1))


def _shared(pixels: int, cells: int, low: float, high: float) -> NDArray[np.float64]:
    """How much of each cell and each pixel of one side is common, in pixels, `[cells, pixels]`."""
    edges = (low + (high - low) * np.arange(cells + 1) / cells) * pixels
    begin, end = np.arange(pixels), np.arange(1, pixels + 1)
    common = np.minimum(edges[1:, None], end) - np.maximum(edges[:-1, None], begin)
    found: NDArray[np.float64] = common.clip(0)
    return found
