"""The smoothest surface through the edge: biharmonic equations (Damelin and Hoang 2018), by scikit-image."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Final

from pydantic import Field

from editkit.probe.inpaint.inpainter import Inpainter

if TYPE_CHECKING:
    from editkit.probe.inpaint.inpainter import Mask, Pixels

MARGIN: Final = 4  # the equations look two pixels beyond the mask


class Biharmonic(Inpainter):
    """Goes on smoothly from what is around the mask, in a box about it."""

    pixels: int = Field(
        4_000, ge=100, description="most pixels to solve for; a larger region is painted on a smaller copy"
    )

    def painted(self, picture: Pixels, mask: Mask) -> Pixels:
        import numpy as np
        from skimage.restoration import inpaint_biharmonic

        from editkit.probe.inpaint.scale import shrunk, stretched

        every = math.ceil(math.sqrt(mask.sum() / self.pixels))
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        spare = MARGIN * every
        top, left = max(0, int(rows[0]) - spare), max(0, int(columns[0]) - spare)
        box = np.s_[top : int(rows[-1]) + 1 + spare, left : int(columns[-1]) + 1 + spare]
        colours, share = shrunk(picture[box], mask[box], every)
        hole = share == 0
        if hole.any():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a matrix without a solution: it gives no numbers
                colours = inpaint_biharmonic(colours, hole, channel_axis=-1)
            colours = np.where(np.isfinite(colours), colours, colours[~hole].mean(axis=0))
        found = picture.copy()
        found[box] = stretched(colours, every, *mask[box].shape)
        return found
