"""Pictures as text that stands in the page itself."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Final

from editkit.errors import InputError
from editkit.plan import Picture

SIDE: Final = 144
WIDEST: Final = 1100
COLOURS: Final = 96
SMALL: Final = 6_000


def thumbnail(picture: Picture | None) -> str | None:
    """A picture at most 144 pixels wide and high; None where it can't be read."""
    from PIL import Image

    if picture is None:
        return None
    try:
        image = picture.open()
    except (InputError, OSError):
        return None
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    found = io.BytesIO()
    image.save(found, "PNG", optimize=True)
    if len(found.getvalue()) <= SMALL:
        return _uri("png", found.getvalue())
    found = io.BytesIO()
    image.save(found, "JPEG", quality=82)
    return _uri("jpeg", found.getvalue())


def figure(png: bytes) -> str:
    """A figure in fewer colours, which are enough for lines, letters and heat-maps."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGB")
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)), Image.Resampling.LANCZOS)
    found = io.BytesIO()
    image.quantize(COLOURS).save(found, "PNG", optimize=True)
    return _uri("png", min(found.getvalue(), png, key=len))


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"
