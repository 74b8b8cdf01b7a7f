"""Pictures in the page itself."""

from __future__ import annotations

import io
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from editkit.page.pictures import SIDE, WIDEST, figure, thumbnail
from editkit.plan import Picture
from tests.page.conftest import png


def opened(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(b64decode(uri.partition(",")[2])))


@pytest.mark.parametrize(("noisy", "kind"), [(False, "PNG"), (True, "JPEG")])
def test_thumbnails_are_small(noisy: bool, kind: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (300, 600, 3), dtype=np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    uri = thumbnail(Picture("a", encoded.getvalue() if noisy else png(400)))
    assert uri is not None
    image = opened(uri)
    assert (image.format, max(image.size)) == (kind, SIDE)
    assert len(uri) < 40_000


def test_what_can_not_be_read_has_none() -> None:
    assert thumbnail(Picture("broken", b"no picture")) is None
    assert thumbnail(None) is None


def test_figures_keep_their_shape_and_lose_weight() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (600, 2200, 3), dtype=np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    uri = figure(encoded.getvalue())
    assert opened(uri).size == (WIDEST, 300)
    assert len(uri) < len(encoded.getvalue()) / 4
