"""Pictures painted over, each made once: kept as PNG files named by what they were made from."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from editkit.errors import InputError, OutputError
from editkit.methods import build
from editkit.plan import Painted, Picture
from editkit.probe.inpaint import INPAINTERS
from editkit.probe.inpaint.inpainter import Inpainter
from editkit.recipe import Recipe, Twins
from editkit.region import Region

FORMAT: Final = 1  # another number where the same settings would paint otherwise


@dataclass(frozen=True)
class Painter:
    """An inpainter, its name in the recipe, and the folder in which its work is kept."""

    inpainter: Inpainter
    name: str
    folder: Path

    @classmethod
    def of(cls, recipe: Recipe) -> Painter:
        """The one that `probe.twins` names.

        Raises:
            RecipeError: no such method, or a setting it does not take.
        """
        section = recipe.probe.twins
        inpainter: Inpainter = build(
            INPAINTERS, section.method, section.settings, "probe.twins", Twins.model_fields
        )
        folder = recipe.resolve(section.cache) if section.cache is not None else cache_folder()
        return cls(inpainter.beside(recipe.resolve), section.method, folder)

    def over(self, picture: Picture, region: Region, name: str, *, must_change: bool = False) -> Painted:
        """A picture with a region painted over; its file is made if it is not there, or is damaged.

        Args:
            name: what people shall call it.
            must_change: whether the painted picture has to differ from the other.

        Raises:
            InputError: the picture can't be read; painting changed nothing, or see `Inpainter.fill`.
            OutputError: the folder can't be written.
            UsageError: see `Inpainter.check`.
        """
        what = (FORMAT, self.name, self.inpainter.identity(), region.height, region.width)
        key = hashlib.sha256(repr(what).encode())
        key.update(hashlib.sha256(picture.encoded()).digest() + region.bits)
        path = self.folder / f"{key.hexdigest()}.png"
        if not _sound(path, region):
            _keep(path, self._paint(picture, region, must_change=must_change))
        return Painted(Picture(name, path, picture.contains), region)

    def _paint(self, picture: Picture, region: Region, *, must_change: bool) -> Image.Image:
        before = np.asarray(picture.open())
        after = self.inpainter.fill(before, region.mask())
        if must_change and np.array_equal(before, after):
            raise InputError(
                f"{picture.name}: its twin is equal to it, because {self.name} changed no pixel: choose "
                "another probe.twins.method, or leave the picture out"
            )
        return Image.fromarray(after)


def cache_folder() -> Path:
    """`$EDITKIT_HOME/twins`, else `editkit/twins` in `$XDG_CACHE_HOME` or `~/.cache`."""
    own = os.environ.get("EDITKIT_HOME")
    if own:
        return Path(own) / "twins"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "editkit" / "twins"


def _sound(path: Path, region: Region) -> bool:
    """Whether a whole PNG file of the right size is there: its checksums are read, its pixels are not."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            image.verify()
            return image.size == (region.width, region.height)
    except Exception:  # whatever is wrong with it: it is made anew
        return False


def _keep(path: Path, image: Image.Image) -> None:
    """Written beside and renamed, so that nobody ever finds half a file."""
    beside = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            image.save(beside, format="PNG", compress_level=1)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path.parent}: painted twins can't be kept there ({error.strerror}): set probe.twins.cache"
        ) from error
