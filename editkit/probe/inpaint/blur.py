"""A blurred copy of what is around: normalised convolution (Knutsson and Westin 1993)."""

from __future__ import annotations

from typing import Final

import numpy as np
from pydantic import Field

from editkit.probe.inpaint.inpainter import Inpainter, Mask, Pixels
from editkit.probe.inpaint.scale import shrunk, stretched

SIDE: Final = 128  # a blurred picture needs no more pixels
FAINTER: Final = 1e-3  # how much less each wider Gaussian counts: it is heard where the others see nothing


class Blur(Inpainter):
    """Colours of known pixels, weighted by a Gaussian of their distance; wider ones reach far inside."""

    radius: float = Field(
        0.02, gt=0, le=1, description="standard deviation, as a share of the picture's longer side"
    )

    def painted(self, picture: Pixels, mask: Mask) -> Pixels:
        from skimage.filters import gaussian

        height, width = mask.shape
        every = -(-max(height, width) // SIDE)
        colours, share = shrunk(picture, mask, every)
        known = np.concatenate([colours * share[..., None], share[..., None]], axis=-1)
        total = np.zeros_like(known)
        sigma, weight = self.radius * max(share.shape), 1.0
        # The last Gaussian is so wide that it reaches every pixel from any other.
        while True:
            total += weight * gaussian(known, sigma, channel_axis=-1, mode="constant", preserve_range=True)
            if sigma > max(share.shape):
                break
            sigma, weight = 2 * sigma, weight * FAINTER
        return stretched(total[..., :3] / total[..., 3:], every, height, width)
