"""Pictures in frames, and outlines of regions on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from editkit.plan import Picture
from editkit.region import Region

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pixels(picture: Picture) -> NDArray[np.uint8]:
    """The picture as models look at it, `[height, width, 3]`.

    Raises:
        InputError: see `Picture.open`.
    """
    return np.asarray(picture.open(), dtype=np.uint8)


def pale(shown: NDArray[np.uint8], share: float) -> NDArray[np.float64]:
    """The picture in grey with so much of its contrast, on white, `[height, width]` from 0 to 1."""
    grey: NDArray[np.float64] = shown.astype(np.float64).mean(-1) / 255.0
    return 1.0 - share * (1.0 - grey)


def framed(axes: Axes, title: str = "") -> None:
    """A frame for a picture: no ticks, a thin border."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_linewidth(0.5)
    axes.set_title(title, fontsize=8)


def outlined(axes: Axes, region: Region, size: tuple[int, int]) -> None:
    """A region's border, white on black, to be seen on any ground.

    Args:
        size: height and width of the picture as it is drawn.
    """
    mask = np.pad(region.mask(), 1).astype(np.float64)
    down = (np.arange(mask.shape[0]) - 0.5) * size[0] / region.height - 0.5
    across = (np.arange(mask.shape[1]) - 0.5) * size[1] / region.width - 0.5
    for color, width in (("black", 2.6), ("white", 1.2)):
        axes.contour(across, down, mask, levels=[0.5], colors=color, linewidths=width)
    axes.set(xlim=(-0.5, size[1] - 0.5), ylim=(size[0] - 0.5, -0.5))
