"""The mean colour of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from editkit.probe.inpaint.inpainter import Inpainter

if TYPE_CHECKING:
    from editkit.probe.inpaint.inpainter import Mask, Pixels


class Mean(Inpainter):
    """One colour, the mean of all pixels outside the mask: the plainest fill, with an edge that shows."""

    def painted(self, picture: Pixels, mask: Mask) -> Pixels:
        import numpy as np

        colour: Pixels = picture[~mask].mean(axis=0).round().astype(np.uint8)
        return np.broadcast_to(colour, picture.shape)
