"""Pictures of a folder or a glob, with the masks or boxes that somebody made for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from editkit.errors import InputError
from editkit.plan import Picture
from editkit.probe.masks import boxes, drawn
from editkit.recipe import FolderImages, Recipe
from editkit.region import Region

SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"})

Regions = Mapping[str, Callable[[], Region]]


def pictures(recipe: Recipe, images: FolderImages) -> list[Picture]:
    """The first `count` pictures in the order of their names.

    What they contain is known where there are masks or boxes: their words and labels, and nothing else.

    Raises:
        InputError: no such folder or no pictures in it; see `drawn.find` and `boxes.read`.
    """
    place = recipe.resolve(images.folder)
    if place.is_dir():
        folder, files = place, _in(place)
    else:
        folder = place.parent
        files = sorted(path for path in folder.glob(place.name) if path.is_file())
        if not files and not any(sign in place.name for sign in "*?["):
            raise InputError(
                f"probe images: no folder {place}: give a folder or a glob such as 'pictures/*.jpg'"
            )
    if not files:
        raise InputError(f"probe images: no pictures in {place} ({', '.join(sorted(SUFFIXES))})")
    bare = [Picture(path.name, path) for path in files[: images.count]]
    # A glob may leave out pictures that the masks or boxes are of as well.
    known = _known(recipe, images, sorted({*files, *_in(folder)}))
    if known is None:
        return bare
    found = [(one, known(one)) for one in bare]
    return [Picture(one.name, one.source, frozenset(regions), regions) for one, regions in found]


def _in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def _known(recipe: Recipe, images: FolderImages, files: list[Path]) -> Callable[[Picture], Regions] | None:
    """Where the objects of a picture are; None where nobody says so."""
    if images.masks is not None:
        place = recipe.resolve(images.masks)
        if recipe.resolve(images.folder).resolve() == place.resolve():
            raise InputError(
                f"{place}: put the masks into a folder of their own: here they would be pictures too"
            )
        masks = drawn.find(place, files)
        return lambda one: {
            word: partial(drawn.region, file, one) for word, file in masks.get(one.name, {}).items()
        }
    if images.boxes is not None:
        file = recipe.resolve(images.boxes)
        listed = boxes.read(file, {path.name for path in files})
        return lambda one: {
            label: partial(boxes.region, own, one, file) for label, own in listed.get(one.name, {}).items()
        }
    return None
