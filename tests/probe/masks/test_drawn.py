"""Masks drawn as pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editkit.errors import InputError
from editkit.plan import Picture
from editkit.probe.masks.drawn import find, region


@pytest.fixture
def shown(tmp_path: Path) -> Picture:
    Image.new("RGB", (12, 9), "white").save(tmp_path / "a.jpg")
    return Picture("a.jpg", tmp_path / "a.jpg")


def names(tmp_path: Path, *files: str) -> Path:
    folder = tmp_path / "masks"
    folder.mkdir()
    for file in files:
        (folder / file).write_bytes(b"")
    return folder


def test_files_are_found_by_stem_and_word(tmp_path: Path) -> None:
    folder = names(tmp_path, "a.dog.png", "a.dining_table.PNG", "b.c.dog.png", "notes.txt")
    pictures = [Path("x/a.jpg"), Path("x/b.c.webp"), Path("x/d.png")]
    assert find(folder, pictures) == {
        "a.jpg": {"dog": folder / "a.dog.png", "dining table": folder / "a.dining_table.PNG"},
        "b.c.webp": {"dog": folder / "b.c.dog.png"},
    }


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("a.png", r"a\.png: masks are named <picture"),
        ("z.dog.png", r"z\.dog\.png: a mask of a picture that is not there: no z\.\*"),
        ("b.dog.png", r"b\.dog\.png: a mask of b\.jpg and of b\.png: rename"),
        ("a._.png", r"a\._\.png: masks are named"),
    ],
)
def test_names_that_say_nothing(tmp_path: Path, file: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        find(names(tmp_path, file), [Path("a.jpg"), Path("b.jpg"), Path("b.png")])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder .*nowhere: `masks` is a folder of"):
        find(tmp_path / "nowhere", [])


OBJECT = np.zeros((9, 12), dtype=np.bool_)
OBJECT[2:5, 3:7] = True


def _palette() -> Image.Image:
    image = Image.fromarray(OBJECT.astype(np.uint8))
    image.putpalette([0, 0, 0, 7, 0, 0])
    return image


def _alpha(colour: int) -> Image.Image:
    layers = [np.full_like(OBJECT, colour, dtype=np.uint8)] * 3 + [OBJECT.astype(np.uint8) * 3]
    return Image.fromarray(np.stack(layers, axis=-1))


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(OBJECT),
        Image.fromarray(OBJECT.astype(np.uint8)),
        Image.fromarray(OBJECT.astype(np.uint16) * 300),
        Image.fromarray(np.stack([OBJECT * 0, OBJECT * 0, OBJECT * 9], axis=-1).astype(np.uint8)),
        Image.fromarray(OBJECT.astype(np.uint8) * 255).convert("RGBA"),
        Image.fromarray(OBJECT.astype(np.uint8) * 255).convert("LA"),
        _palette(),
        _alpha(0),
        _alpha(255),
    ],
    ids=["1", "L", "I;16", "RGB", "opaque RGBA", "opaque LA", "P", "black on nothing", "white on nothing"],
)
def test_what_is_drawn_in_any_mode_is_the_object(tmp_path: Path, shown: Picture, image: Image.Image) -> None:
    image.save(tmp_path / "a.dog.png")
    assert np.array_equal(region(tmp_path / "a.dog.png", shown).mask(), OBJECT)


def test_a_mask_of_another_picture_and_one_that_is_none(tmp_path: Path, shown: Picture) -> None:
    Image.new("L", (9, 9)).save(tmp_path / "a.dog.png")
    with pytest.raises(InputError, match=r"^a\.dog\.png, a mask of a\.jpg: .* 9 x 9 .* 12 x 9"):
        region(tmp_path / "a.dog.png", shown)
    (tmp_path / "a.dog.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(InputError, match=r"^a\.dog\.png, a mask of a\.jpg: not a readable PNG"):
        region(tmp_path / "a.dog.png", shown)
