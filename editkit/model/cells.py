"""Which tokens of a picture show a region of it."""

from __future__ import annotations

import torch
from torch import Tensor

from editkit.model.sight import PicturePlace
from editkit.overlay import covered
from editkit.region import Region


def showing(place: PicturePlace, region: Region) -> Tensor:
    """The columns of a fed sequence whose tokens show a region, int64 `[n]`, one at least.

    As many cells as the region's area is worth, those it covers most; all of the picture's tokens where
    they are no plain grid.
    """
    if place.grid is None:
        return place.columns
    shares = torch.from_numpy(covered(region, place.grid, place.area)).flatten()
    count = max(1, round(float(shares.sum())))
    best = shares.sort(descending=True, stable=True).indices[:count].sort().values
    return place.view[best]
