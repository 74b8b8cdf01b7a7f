"""Smaller copies of the known part of a picture, and back: what is smooth needs few pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from editkit.probe.inpaint.inpainter import Mask, Pixels

Floats = NDArray[np.float64]


def shrunk(picture: Pixels, mask: Mask, every: int) -> tuple[Floats, Floats]:
    """Blocks of `every` x `every` pixels: their known colour `[h, w, 3]` in [0, 1] and known share `[h, w]`.

    A block without a known pixel is black, its share 0.
    """
    height, width = mask.shape
    below, beside = -height % every, -width % every
    known = np.pad((~mask).astype(np.float64), ((0, below), (0, beside)))
    colours = np.pad(picture / 255.0, ((0, below), (0, beside), (0, 0))) * known[..., None]
    blocks = (known.shape[0] // every, every, known.shape[1] // every, every)
    share = known.reshape(blocks).mean(axis=(1, 3))
    total = colours.reshape(*blocks, 3).mean(axis=(1, 3))
    return total / np.where(share > 0, share, 1.0)[..., None], share


def stretched(colours: Floats, every: int, height: int, width: int) -> Pixels:
    """The picture `[height, width, 3]` that smaller colours are of, bilinear between them."""
    from skimage.transform import resize

    if every > 1:
        size = (colours.shape[0] * every, colours.shape[1] * every)
        colours = resize(colours, size, order=1, mode="edge", anti_aliasing=False)
    bytes_: Pixels = (colours[:height, :width].clip(0.0, 1.0) * 255.0).round().astype(np.uint8)
    return bytes_
