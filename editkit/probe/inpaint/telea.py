"""Fast marching inwards from the edge (Telea 2004), through OpenCV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from editkit.probe.inpaint.opencv import OpenCV

if TYPE_CHECKING:
    from editkit.probe.inpaint.inpainter import Mask, Pixels


class Telea(OpenCV):
    """Each pixel from its known neighbours, the nearest to the edge first."""

    def painted(self, picture: Pixels, mask: Mask) -> Pixels:
        return self.through(picture, mask, "TELEA")
