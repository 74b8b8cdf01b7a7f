"""Fast marching inwards from the edge (Telea 2004), through OpenCV."""

from __future__ import annotations

from editkit.probe.inpaint.inpainter import Mask, Pixels
from editkit.probe.inpaint.opencv import OpenCV


class Telea(OpenCV):
    """Each pixel from its known neighbours, the nearest to the edge first."""

    def painted(self, picture: Pixels, mask: Mask) -> Pixels:
        return self.through(picture, mask, "TELEA")
