"""Boxes around objects, in a JSON file: {"picture.jpg": [{"label": "dog", "box": [x, y, width, height]}]}."""

from __future__ import annotations

import json
import math
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from editkit.errors import InputError
from editkit.plan import Picture
from editkit.region import Region

FORM: Final = '{"picture.jpg": [{"label": "dog", "box": [x, y, width, height]}, ...]}'

LARGEST: Final = 1e9  # no picture has so many pixels on a side; NaN is not less either

# Left, top, width and height in pixels of the upright picture.
Box = tuple[float, float, float, float]


def read(file: Path, names: Container[str]) -> dict[str, dict[str, tuple[Box, ...]]]:
    """The boxes of a file: picture's name -> label -> boxes.

    Raises:
        InputError: no such file, JSON of another form, or boxes of a picture that is not there.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"probe images: {file} can't be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"probe images: {file} is no JSON: boxes are given as {FORM}") from error
    if not isinstance(document, dict):
        raise InputError(f"probe images: {file} has no pictures' names: boxes are given as {FORM}")
    found: dict[str, dict[str, tuple[Box, ...]]] = {}
    for name, listed in document.items():
        if name not in names:
            raise InputError(f"{file}: boxes of {name}, which is not among the pictures")
        if not isinstance(listed, list):
            raise InputError(f"{file}: {name}: expected a list, as in {FORM}")
        for at, entry in enumerate(listed):
            label, box = _entry(entry, f"{file}: {name}: box {at}")
            own = found.setdefault(name, {})
            own[label] = (*own.get(label, ()), box)
    return found


def _entry(entry: object, whence: str) -> tuple[str, Box]:
    label = entry.get("label") if isinstance(entry, Mapping) else None
    box = entry.get("box") if isinstance(entry, Mapping) else None
    numbers = [one for one in box if type(one) in (int, float)] if isinstance(box, list) else []
    if not isinstance(label, str) or not label.strip() or not isinstance(box, list):
        raise InputError(f"{whence}: expected a label and a box, as in {FORM}")
    if len(box) != 4 or len(numbers) != 4 or not all(abs(one) < LARGEST for one in numbers):
        raise InputError(f"{whence}: expected four numbers in pixels, [x, y, width, height]")
    left, top, width, height = map(float, numbers)
    if width <= 0 or height <= 0:
        raise InputError(f"{whence}: an empty box, {width:g} pixels wide and {height:g} high")
    return label.strip(), (left, top, width, height)


def region(boxes: tuple[Box, ...], picture: Picture, file: Path) -> Region:
    """All pixels that any of the boxes touches.

    Raises:
        InputError: a box reaches outside the picture, or the picture can't be read.
    """
    width, height = picture.open().size
    mask = np.zeros((height, width), dtype=np.bool_)
    for left, top, wide, high in boxes:
        if left < 0 or top < 0 or left + wide > width or top + high > height:
            raise InputError(
                f"{file.name}: {picture.name}: the box [{left:g}, {top:g}, {wide:g}, {high:g}] leaves "
                f"the upright picture of {width} x {height} pixels: boxes are [x, y, width, height]"
            )
        mask[int(top) : math.ceil(top + high), int(left) : math.ceil(left + wide)] = True
    return Region.of(mask)
