"""A blurred copy of what is around: normalised convolution (Knutsson and Westin 1993)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import Field

from editkit.probe.inpaint.inpainter import Inpainter

if TYPE_CHECKING:
    from editkit.probe.inpaint.inpainter import Mask, Pixels

SIDE: Final = 128  # a blurred picture needs no more pixels
FAINTER: Final = 1e-3  # how much less each wider Gaussian counts: it is heard where the others see nothing


class Blur(Inpainter):
    """Colours of known pixels, weighted by a Gaussian of their distance; wider ones reach far inside."""

    radius: float = Field(
        0.02, ge=0.001, le=1, description="standard deviation, as a share of the picture's longer side"
    )

    def painted(self, picture: Pixels, mask: Mask) -> Pixels:
        import numpy as np
        from skimage.filters import gaussian

        from editkit.probe.inpaint.scale import shrunk, stretched

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
