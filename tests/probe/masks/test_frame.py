"""Masks are turned and enlarged as their picture is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from editkit.errors import InputError
from editkit.plan import Picture
from editkit.probe.masks.frame import Frame


def picture(mask: np.ndarray, orientation: int) -> Picture:
    """A picture that is white where the mask is, lying as its EXIF orientation says."""
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(mask.astype(np.uint8) * 255).save(stream, format="PNG", exif=exif)
    return Picture("a.png", stream.getvalue())


@given(st.integers(1, 8), st.integers(1, 14), st.integers(1, 14), st.integers(0, 2**32 - 1))
def test_a_mask_of_the_stored_picture_lies_where_the_upright_picture_shows_it(
    orientation: int, height: int, width: int, seed: int
) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    shown = picture(mask, orientation)
    region = Frame.of(shown).region(mask, "it")
    assert np.array_equal(region.mask(), np.asarray(shown.open())[..., 0] > 0)


def test_a_mask_of_the_upright_picture_stays_as_it_is() -> None:
    drawn = np.zeros((10, 20), dtype=np.bool_)
    upright = np.zeros((20, 10), dtype=np.bool_)
    upright[:3, 0] = True
    frame = Frame.of(picture(drawn, 6))
    assert (frame.stored, frame.upright) == ((10, 20), (20, 10))
    assert np.array_equal(frame.region(upright, "it").mask(), upright)


def test_a_mask_of_another_size_is_refused_with_both_sizes() -> None:
    frame = Frame.of(picture(np.zeros((10, 20), dtype=np.bool_), 6))
    with pytest.raises(InputError, match=r"^m\.png: .* 21 x 10 pixels and the upright picture 10 x 20"):
        frame.region(np.ones((10, 21), dtype=np.bool_), "m.png")
