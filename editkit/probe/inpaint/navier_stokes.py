"""Lines of equal brightness flow inwards (Bertalmio, Bertozzi and Sapiro 2001), through OpenCV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from editkit.probe.inpaint.opencv import OpenCV

if TYPE_CHECKING:
    from editkit.probe.inpaint.inpainter import Mask, Pixels


class NavierStokes(OpenCV):
    """Goes on along edges, as a fluid would."""

    def painted(self, picture: Pixels, mask: Mask) -> Pixels:
        return self.through(picture, mask, "NS")
