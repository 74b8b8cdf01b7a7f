"""The pictures a recipe names: a folder, a glob, COCO files or the demo world."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from editkit.errors import InputError
from editkit.plan import Picture
from editkit.probe import scenes
from editkit.recipe import CocoImages, DemoImages, FolderImages, Images, Recipe

SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"})


def pictures(recipe: Recipe, images: Images, seed: int) -> list[Picture]:
    """All pictures, each checked to be one.

    Raises:
        InputError: a folder, file or annotation that is not there or not readable.
    """
    if isinstance(images, DemoImages):
        return scenes.pictures(images.demo, images.count, seed if images.seed is None else images.seed)
    if isinstance(images, CocoImages):
        found = _coco(recipe.resolve(images.coco), recipe.resolve(images.images))
    else:
        found = _folder(recipe, images)
    for picture in found[: images.count]:
        picture.open()
    return found[: images.count]


def _folder(recipe: Recipe, images: FolderImages) -> list[Picture]:
    place = recipe.resolve(images.folder)
    if place.is_dir():
        files = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
    else:
        files = sorted(path for path in place.parent.glob(place.name) if path.is_file())
        if not files and not any(sign in place.name for sign in "*?["):
            raise InputError(
                f"probe images: no folder {place}: give a folder or a glob such as 'pictures/*.jpg'"
            )
    if not files:
        raise InputError(f"probe images: no pictures in {place} ({', '.join(sorted(SUFFIXES))})")
    return [Picture(path.name, path) for path in files]


def _coco(instances: Path, folder: Path) -> list[Picture]:
    """Pictures of a COCO instances file; they contain the categories annotated in them."""
    try:
        document: dict[str, Any] = json.loads(instances.read_text(encoding="utf-8"))
        categories = {item["id"]: str(item["name"]) for item in document["categories"]}
        truth: dict[int, set[str]] = {item["id"]: set() for item in document["images"]}
        for item in document["annotations"]:
            truth[item["image_id"]].add(categories[item["category_id"]])
        files = [(folder / item["file_name"], truth[item["id"]]) for item in document["images"]]
    except OSError as error:
        raise InputError(f"probe images: {instances} can't be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"probe images: {instances} is no COCO instances file ({type(error).__name__})"
        ) from error
    there = [Picture(path.name, path, frozenset(kinds)) for path, kinds in files if path.is_file()]
    if not there:
        raise InputError(f"probe images: none of the {len(files)} pictures of {instances} is in {folder}")
    return there
