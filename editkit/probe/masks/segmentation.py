"""A COCO segmentation -> a mask: polygons, or runs of pixels with and without compression."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def mask(segmentation: object, height: int, width: int) -> NDArray[np.bool_]:
    """What it covers, `[height, width]`, through pycocotools.

    Everything is checked before, because the decoder in C trusts what it is given: a coordinate that is no
    number makes it take all memory.

    Raises:
        ValueError: why it can't be read.
    """
    from pycocotools import mask as codec

    if isinstance(segmentation, list):
        runs: Any = codec.merge(
            codec.frPyObjects(_polygons(segmentation, height, width), float(height), float(width))
        )
    elif isinstance(segmentation, Mapping):
        runs = _runs(segmentation, height, width)
        if isinstance(runs["counts"], list):
            runs = codec.frPyObjects(runs, height, width)
    else:
        raise ValueError("it has no segmentation")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of an old way to hand arrays to numpy
        found: NDArray[np.bool_] = codec.decode(runs).astype(np.bool_)
    return found


def _polygons(given: list[Any], height: int, width: int) -> list[list[float]]:
    if not given:
        raise ValueError("its segmentation is an empty list")
    for polygon in given:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise ValueError("a polygon is a list of x, y, x, y, ... of at least three points")
        if not all(type(one) in (int, float) and abs(one) < 1e9 for one in polygon):
            raise ValueError("a polygon has a coordinate that is no number")
        for side, values in ((width, polygon[::2]), (height, polygon[1::2])):
            if min(values) < -side or max(values) > 2 * side:
                raise ValueError("a polygon reaches far outside the picture")
    return given


def _runs(given: Mapping[str, Any], height: int, width: int) -> dict[str, Any]:
    if given.get("size") != [height, width]:
        raise ValueError("its runs of pixels (RLE) are of another size than its picture")
    counts = given.get("counts")
    if isinstance(counts, list):
        if not all(type(one) is int and one >= 0 for one in counts) or sum(counts) != height * width:
            raise ValueError("its runs of pixels (RLE) do not add up to the picture")
    elif not isinstance(counts, str) or not counts:
        raise ValueError("its runs of pixels (RLE) have no counts")
    return {"size": [height, width], "counts": counts}
