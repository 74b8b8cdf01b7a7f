"""Twins that the user has made: a folder of pictures without their object."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Final

import numpy as np

from editkit.errors import InputError
from editkit.plan import Picture, PlannedEdit
from editkit.region import Region

MOST: Final = 0.9  # the share of pixels beyond which two pictures are not a pair


def check(folder: Path) -> None:
    """Raises:
    InputError: no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"probe.twins.pairs: no folder {folder}: twins are named as their pictures")


def twin_file(folder: Path, picture: Picture, edit: PlannedEdit) -> Path | None:
    """The twin of a picture: `<stem>.<word>.png` where the word is a source of the edit, or the file of the
    picture's own name. Underscores in a word stand for spaces."""
    stem = Path(picture.name).stem
    for path in sorted(folder.glob(f"{glob.escape(stem)}.*.png")):
        word = path.name.removeprefix(f"{stem}.").removesuffix(".png")
        if edit.says_source(word.replace("_", " ")):
            return path
    path = folder / picture.name
    return path if path.is_file() else None


def difference(picture: Picture, file: Path) -> Region:
    """Every pixel in which a picture and its twin differ.

    Raises:
        InputError: one of them can't be read, they are of different sizes, they are the same, or they differ
            nearly everywhere.
    """
    whence = f"probe.twins.pairs: {file.name}, the twin of {picture.name}"
    before, after = np.asarray(picture.open()), np.asarray(Picture(whence, file).open())
    if before.shape != after.shape:
        raise InputError(
            f"{whence}: it has {after.shape[1]} x {after.shape[0]} pixels and the upright picture "
            f"{before.shape[1]} x {before.shape[0]}: a twin has the size of its picture"
        )
    found = Region.of(np.asarray((before != after).any(axis=-1)))
    if not found.share:
        raise InputError(f"{whence}: it is the same picture: the object has to be gone in it")
    if found.share > MOST:
        raise InputError(
            f"{whence}: {found.share:.0%} of the pixels differ: only the object may, so save both without "
            "loss (PNG)"
        )
    return found
