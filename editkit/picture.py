"""The bytes of a picture -> what a model can look at: upright, RGB, 8 bits a channel."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Final

from editkit.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

# Formats whose decoders read bytes and nothing else: Pillow hands EPS, for one, to a program.
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000")
# Of three pixels and fewer, some image processors take a side for the channels.
SMALLEST: Final = 8
# Beyond, image processors refuse (Qwen-VL), leave no pixel (Pixtral) or make gigabytes (CLIP).
MOST_OBLONG: Final = 100
# Grey in more than 8 bits, and the white of each: files of it say so by their mode alone.
WHITES: Final = {"I;16": 65_535, "I;16L": 65_535, "I;16B": 65_535, "I;16N": 65_535, "I": 65_535, "F": 1}


def upright_rgb(name: str, encoded: bytes) -> Image:
    """The first frame of a picture, turned as its EXIF says, in RGB with 8 bits a channel.

    What is transparent becomes white: logos, plots and screenshots are drawn dark, for a page, and on black
    (what is left when the alpha channel is dropped) they would vanish. Grey of 16 bits is scaled from its
    whole range, 0 to 65,535. Of pictures smaller than `SMALLEST` each pixel is repeated.

    Raises:
        InputError: the bytes are no picture, only a part of one, or one of a size or mode no model takes.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not encoded:
        raise InputError(f"{name}: not a readable picture (the file is empty)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged EXIF data and large pictures; too large ones raise
            Image.init()  # Pillow knows four of the formats before
            with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
                shown = _rgb(name, ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise InputError(f"{name}: not a readable picture (no {_formats()} file)") from error
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise InputError(f"{name}: more than {most:,} pixels: make the picture smaller") from error
    except InputError:
        raise
    except Exception as error:  # decoders of damaged files raise whatever went wrong inside them
        raise InputError(f"{name}: not a readable picture ({type(error).__name__}: {error})") from error
    return _enlarged(name, shown)


def _formats() -> str:
    return f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"


def _rgb(name: str, image: Image) -> Image:
    from PIL import Image

    if image.mode in WHITES:
        return _grey(name, image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    drawn = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("RGB")


def _grey(name: str, image: Image) -> Image:
    import numpy as np
    from PIL import Image

    values, white = np.asarray(image, dtype=np.float64), WHITES[image.mode]
    low, high = values.min(), values.max()
    if not 0 <= low <= high <= white:
        raise InputError(
            f"{name}: grey values from {low:g} to {high:g}, where 0 to {white:,} were expected: "
            "save the picture with 8 bits a channel"
        )
    return Image.fromarray(np.rint(values * (255 / white)).astype(np.uint8)).convert("RGB")


def _enlarged(name: str, image: Image) -> Image:
    from PIL import Image

    short, long = sorted(image.size)
    if long > MOST_OBLONG * short:
        width, height = image.size
        raise InputError(
            f"{name}: {width} x {height} pixels: more than {MOST_OBLONG} times as long as wide, which models "
            "can't look at: cut it"
        )
    if short >= SMALLEST:
        return image
    times = -(-SMALLEST // short)
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
