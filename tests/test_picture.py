"""Pictures of any mode become upright RGB of 8 bits; what is none is refused in one sentence."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from editkit.errors import InputError
from editkit.picture import MOST_OBLONG, SMALLEST, upright_rgb
from editkit.plan import Picture

WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)
SIDE = 16


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def opened(image: Image.Image, kind: str = "PNG", **options: Any) -> Image.Image:
    found = upright_rgb("p", encoded(image, kind, **options))
    assert found.mode == "RGB"
    return found


def corner(image: Image.Image, color: Any, ground: Any) -> Image.Image:
    """One color in the upper left quarter, another on the rest."""
    image.paste(ground, (0, 0, *image.size))
    image.paste(color, (0, 0, image.width // 2, image.height // 2))
    return image


def corners(image: Image.Image) -> tuple[Any, Any]:
    return image.getpixel((2, 2)), image.getpixel((image.width - 2, image.height - 2))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "1", "P"])
def test_every_mode_is_opened_in_rgb_and_keeps_its_size(mode: str) -> None:
    assert opened(Image.new(mode, (20, 10))).size == (20, 10)


def test_a_palette_keeps_its_colors() -> None:
    shown = corner(Image.new("RGB", (SIDE, SIDE)), RED, BLUE).quantize(4)
    assert shown.mode == "P"
    assert corners(opened(shown)) == (RED, BLUE)


def test_what_is_transparent_is_white_not_black() -> None:
    nothing = (0, 0, 0, 0)
    assert corners(opened(corner(Image.new("RGBA", (SIDE, SIDE)), (*RED, 255), nothing))) == (RED, WHITE)
    assert corners(opened(corner(Image.new("LA", (SIDE, SIDE)), (0, 255), (0, 0)))) == ((0, 0, 0), WHITE)
    palette = corner(Image.new("P", (SIDE, SIDE)), 1, 0)
    palette.putpalette([0, 0, 0, *RED])
    assert corners(opened(palette, transparency=0)) == (RED, WHITE)
    assert corners(opened(palette, transparency=bytes([0, 255]))) == (RED, WHITE)
    assert corners(opened(palette)) == (RED, (0, 0, 0))
    keyed = corner(Image.new("RGB", (SIDE, SIDE)), RED, (1, 2, 3))
    assert corners(opened(keyed, transparency=(1, 2, 3))) == (RED, WHITE)


def test_half_transparent_is_half_white() -> None:
    assert opened(Image.new("RGBA", (SIDE, SIDE), (*RED, 128))).getpixel((0, 0)) == (255, 127, 127)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "I;16"), ("TIFF", "I;16"), ("PPM", "I")])
def test_grey_of_16_bits_is_scaled_from_its_whole_range(kind: str, mode: str) -> None:
    levels = np.array([[0, 257, 32_768, 65_535]] * SIDE, dtype=np.uint16).repeat(4, axis=1)
    content = encoded(Image.fromarray(levels), kind)
    assert Image.open(io.BytesIO(content)).mode == mode
    assert np.unique(np.asarray(upright_rgb("p", content))).tolist() == [0, 1, 128, 255]


def test_grey_in_fractions_is_scaled_and_beyond_its_range_nobody_can_know() -> None:
    grey = np.full((SIDE, SIDE), 0.5, dtype=np.float32)
    assert opened(Image.fromarray(grey), "TIFF").getpixel((0, 0)) == (128, 128, 128)
    for values in (grey * 300, grey - 1, grey * np.nan, np.full((SIDE, SIDE), 70_000, dtype=np.int32)):
        with pytest.raises(InputError, match=r"^p: grey values from .* save the picture with 8 bits"):
            opened(Image.fromarray(values), "TIFF")


def test_printers_colors() -> None:
    ink = corner(Image.new("CMYK", (64, 64)), (0, 255, 255, 0), (0, 0, 0, 0))
    found = corners(opened(ink, "JPEG", quality=100))
    assert np.abs(np.subtract(found, (RED, WHITE))).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_put_upright(orientation: int) -> None:
    upright = corner(Image.new("RGB", (32, 16)), RED, BLUE)
    undo = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    stored = turned(upright, undo)
    assert stored.size == ((16, 32) if orientation > 4 else (32, 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = opened(stored, "PNG", exif=exif)
    assert found.size == upright.size
    assert np.array_equal(np.asarray(found), np.asarray(upright))


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """As a viewer shows a picture with this EXIF orientation."""
    moves = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return image.transpose(moves[orientation]) if orientation in moves else image


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_moving_pictures_the_first_is_shown(kind: str) -> None:
    first, second = (Image.new("RGB", (SIDE, SIDE), color) for color in (RED, BLUE))
    lossless = {"lossless": True} if kind == "WEBP" else {}
    assert opened(first, kind, save_all=True, append_images=[second], **lossless).getpixel((3, 3)) == RED


@given(width=st.integers(1, 40), height=st.integers(1, 40))
def test_of_tiny_pictures_each_pixel_is_repeated(width: int, height: int) -> None:
    drawn = np.random.default_rng(width * 41 + height).integers(0, 255, (height, width, 3), dtype=np.uint8)
    found = np.asarray(opened(Image.fromarray(drawn)))
    times = found.shape[0] // height
    assert min(found.shape[:2]) >= SMALLEST
    assert times == 1 or min(width, height) * (times - 1) < SMALLEST, "no more than needed"
    assert np.array_equal(found, drawn.repeat(times, axis=0).repeat(times, axis=1))


def test_a_thread_is_no_picture() -> None:
    assert opened(Image.new("RGB", (MOST_OBLONG, 1))).size == (SMALLEST * MOST_OBLONG, SMALLEST)
    with pytest.raises(InputError, match=r"^p: 1 x 101 pixels: .* cut it$"):
        opened(Image.new("RGB", (1, MOST_OBLONG + 1)))


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n"],
    ids=["empty", "gif", "png", "text", "program"],
)
def test_bytes_that_are_no_picture(content: bytes) -> None:
    with pytest.raises(InputError, match=r"^broken\.png: not a readable picture \(.+\)$"):
        Picture("broken.png", content).open()


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    for place, why in ((tmp_path / "away.png", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=f"^away.png: can't be read .{why}"):
            Picture("away.png", place).open()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_a_truncated_picture_is_no_picture(kind: str) -> None:
    content = encoded(Image.effect_noise((64, 64), 90), kind)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(InputError, match=r"^half: not a readable picture"):
            upright_rgb("half", content[: int(len(content) * share)])


@given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "PPM"]))
def test_damaged_bytes_are_shown_or_refused(data: st.DataObject, kind: str) -> None:
    content = bytearray(encoded(Image.effect_noise((24, 24), 90), kind))
    for place in data.draw(st.lists(st.integers(0, min(99, len(content) - 1)), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InputError):
        assert upright_rgb("p", bytes(content)).mode == "RGB"


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(InputError, match=r"^bomb\.png: more than 200 pixels: make the picture smaller$"):
        Picture("bomb.png", encoded(Image.new("1", (100, 100)))).open()
    assert opened(Image.new("RGB", (15, 10))).size == (15, 10), "what is large, and no bomb, is taken"


@pytest.mark.real
def test_photographs_have_the_size_that_their_annotations_tell(real_data: Callable[[str], Path]) -> None:
    coco = real_data("coco")
    listed = json.loads((coco / "instances.json").read_text(encoding="utf-8"))["images"]
    sizes = {image["file_name"]: (image["width"], image["height"]) for image in listed}
    files = sorted((coco / "images").glob("*.jpg"))
    assert files
    for file in files:
        assert Picture(file.name, file).open().size == sizes[file.name]
