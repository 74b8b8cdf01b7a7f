"""Masks drawn as pictures: a folder of `<picture's stem>.<word>.png`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from editkit.errors import InputError
from editkit.plan import Picture
from editkit.probe.masks.frame import Frame
from editkit.region import Region

FORM: Final = "<picture's name without its ending>.<word>.png"
OPAQUE: Final = 255


def find(folder: Path, pictures: Iterable[Path]) -> dict[str, dict[str, Path]]:
    """The mask files of a folder: picture's name -> word -> file. Underscores in a word stand for spaces.

    Raises:
        InputError: no such folder, a name of another form, or a mask of no picture or of two.
    """
    if not folder.is_dir():
        raise InputError(f"probe images: no folder {folder}: `masks` is a folder of {FORM}")
    stems: dict[str, list[str]] = {}
    for picture in pictures:
        stems.setdefault(picture.stem, []).append(picture.name)
    found: dict[str, dict[str, Path]] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() != ".png":
            continue
        stem, dot, word = file.stem.rpartition(".")
        if not dot or not word.strip("_ "):
            raise InputError(f"{file}: masks are named {FORM}")
        own = stems.get(stem, [])
        if not own:
            raise InputError(f"{file}: a mask of a picture that is not there: no {stem}.* among the pictures")
        if own[1:]:
            raise InputError(f"{file}: a mask of {' and of '.join(own)}: rename one of the pictures")
        found.setdefault(own[0], {})[word.replace("_", " ")] = file
    return found


def region(file: Path, picture: Picture) -> Region:
    """Where a mask says the object is: what is not fully transparent, in a file in which something is
    transparent; what is not black in any other.

    Raises:
        InputError: the file can't be read, or has another size than its picture.
    """
    whence = f"{file.name}, a mask of {picture.name}"
    frame = Frame.of(picture)
    try:
        with Image.open(file, formats=("PNG",)) as image:
            frame.check((image.height, image.width), whence)
            mask = _object(image)
    except InputError:
        raise
    except Exception as error:  # decoders of damaged files raise whatever went wrong inside them
        raise InputError(f"{whence}: not a readable PNG file ({type(error).__name__})") from error
    return frame.region(mask, whence)


def _object(image: Image.Image) -> NDArray[np.bool_]:
    if image.has_transparency_data:
        drawn = np.asarray(image.convert("RGBA"))
        if (drawn[..., 3] < OPAQUE).any():
            seen: NDArray[np.bool_] = drawn[..., 3] > 0
            return seen
        image = image.convert("RGB")
    colours = np.asarray(image.convert("RGB") if image.mode == "P" else image) != 0
    return colours if colours.ndim == 2 else np.asarray(colours.any(axis=-1))
