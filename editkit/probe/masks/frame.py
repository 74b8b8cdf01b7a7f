"""How a picture lies in its file and how it is looked at: masks are turned and enlarged as it is."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from editkit.errors import InputError
from editkit.picture import FORMATS
from editkit.plan import Picture
from editkit.region import Region

Size = tuple[int, int]


@dataclass(frozen=True)
class Frame:
    """A picture's sizes `(height, width)` in pixels: as its file stores it, and as `Picture.open` shows it.

    `orientation` is EXIF's, from 1 (as it lies) to 8; those above 4 lie on their side.
    """

    stored: Size
    orientation: int
    shown: Size

    @classmethod
    def of(cls, picture: Picture) -> Frame:
        """Raises:
        InputError: see `Picture.open`.
        """
        width, height = picture.open().size
        with Image.open(io.BytesIO(picture.encoded()), formats=FORMATS) as image:
            orientation = int(image.getexif().get(ExifTags.Base.Orientation, 1))
            return cls((image.height, image.width), orientation, (height, width))

    @property
    def upright(self) -> Size:
        """The size once turned, before a tiny picture is enlarged."""
        height, width = self.stored
        return (width, height) if 5 <= self.orientation <= 8 else (height, width)

    def check(self, size: Size, whence: str) -> None:
        """Raises:
        InputError: a mask of this size is none of this picture, neither as it lies nor upright.
        """
        if size not in (self.stored, self.upright, self.shown):
            height, width = self.upright
            raise InputError(
                f"{whence}: the mask has {size[1]} x {size[0]} pixels and the upright picture "
                f"{width} x {height}: give a mask of the picture's own size"
            )

    def region(self, mask: NDArray[np.bool_], whence: str) -> Region:
        """A mask, turned with the picture if it fits the stored one, as a region of the picture shown.

        Raises:
            InputError: see `check`; `whence` begins the sentence.
        """
        self.check(mask.shape, whence)
        if mask.shape == self.stored:
            drawn = Image.fromarray(mask.astype(np.uint8))
            drawn.getexif()[ExifTags.Base.Orientation] = self.orientation
            mask = np.asarray(ImageOps.exif_transpose(drawn)) > 0
        times = self.shown[0] // mask.shape[0]
        return Region.of(mask.repeat(times, axis=0).repeat(times, axis=1))
