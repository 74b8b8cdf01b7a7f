"""Random regions of a picture, of the shape and area of a given one: they show what painting alone does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from editkit.region import Region

TRIES: Final = 100

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Moved:
    """A region at another place; `overlap` is the share of it that still lies on the original."""

    region: Region
    overlap: float


def elsewhere(region: Region, count: int, seed: bytes) -> tuple[Moved, ...]:
    """`count` regions of exactly the same area: the original, mirrored or not, at random places.

    Of `TRIES` places within the picture the first beside the original is taken; where there is none, of as
    many places at which the region may leave the picture on one side and come in again on the other; where
    there is none either, the one with the least overlap. None is the original, and none comes twice while
    there are others. Of more regions, the first are the same.

    Args:
        region: neither empty nor everything.
    """
    rng = np.random.default_rng(list(seed))
    mask = region.mask()
    area = int(mask.sum())
    taken = {region.bits}
    found = []
    for _ in range(count):
        best: Moved | None = None
        for moved in _places(mask, rng):
            overlap = float((moved & mask).sum()) / area
            if best is None or overlap < best.overlap:
                place = Moved(Region.of(moved), overlap)
                best = best if place.region.bits in taken else place
            if best is not None and best.overlap == 0:
                break
        if best is None:
            again = next(moved for moved in _anywhere(mask, rng) if (moved != mask).any())
            best = Moved(Region.of(again), float((again & mask).sum()) / area)
        taken.add(best.region.bits)
        found.append(best)
    return tuple(found)


def _places(mask: Mask, rng: np.random.Generator) -> Iterator[Mask]:
    """`TRIES` places within the picture, then as many across its borders."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    for _ in range(TRIES):
        top, left = (
            int(rng.integers(whole - own + 1)) for whole, own in zip(mask.shape, part.shape, strict=True)
        )
        moved = np.zeros_like(mask)
        moved[top : top + part.shape[0], left : left + part.shape[1]] = _mirrored(part, rng)
        yield moved
    for _, moved in zip(range(TRIES), _anywhere(mask, rng), strict=False):
        yield moved


def _anywhere(mask: Mask, rng: np.random.Generator) -> Iterator[Mask]:
    while True:
        shift = [int(rng.integers(whole)) for whole in mask.shape]
        yield np.roll(_mirrored(mask, rng), shift, axis=(0, 1))


def _mirrored(mask: Mask, rng: np.random.Generator) -> Mask:
    upwards, backwards = (1 - 2 * int(rng.integers(2)) for _ in range(2))
    return mask[::upwards, ::backwards]
