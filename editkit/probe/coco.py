"""Pictures of a COCO instances file: which categories they show, and where."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from editkit.errors import InputError
from editkit.plan import Picture
from editkit.probe.masks import segmentation
from editkit.probe.masks.frame import Frame
from editkit.region import Region

Entry = dict[str, Any]


def pictures(instances: Path, folder: Path, count: int | None) -> list[Picture]:
    """The first `count` pictures that are there; they contain the categories annotated in them.

    Raises:
        InputError: the file can't be read or is no instances file, or none of its pictures is there.
    """
    try:
        document: Entry = json.loads(instances.read_text(encoding="utf-8"))
        categories = {item["id"]: str(item["name"]) for item in document["categories"]}
        shown: dict[Any, dict[str, list[Entry]]] = {item["id"]: {} for item in document["images"]}
        for item in document["annotations"]:
            shown[item["image_id"]].setdefault(categories[item["category_id"]], []).append(item)
        files = [(folder / item["file_name"], item) for item in document["images"]]
    except OSError as error:
        raise InputError(f"probe images: {instances} can't be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"probe images: {instances} is no COCO instances file ({type(error).__name__})"
        ) from error
    there = [(path, item) for path, item in files if path.is_file()]
    if not there:
        raise InputError(f"probe images: none of the {len(files)} pictures of {instances} is in {folder}")
    return [_picture(path, item, shown[item["id"]], instances.name) for path, item in there[:count]]


def _picture(path: Path, item: Entry, shown: dict[str, list[Entry]], file: str) -> Picture:
    bare = Picture(path.name, path)
    regions = {kind: partial(region, bare, item, annotations, file) for kind, annotations in shown.items()}
    return Picture(path.name, path, frozenset(shown), regions)


def region(picture: Picture, item: Entry, annotations: Sequence[Entry], file: str) -> Region:
    """What all annotations of one category cover together, crowds too.

    Args:
        item: the picture's entry in the file, with the height and width the annotations are drawn on.

    Raises:
        InputError: an annotation without a readable segmentation, or of a picture of another size.
    """
    whence = f"{file}: {picture.name}"
    height, width = item.get("height"), item.get("width")
    if type(height) is not int or type(width) is not int:
        raise InputError(f"{whence}: its entry has no height and width, which masks need")
    frame = Frame.of(picture)
    frame.check((height, width), whence)
    covered = np.zeros((height, width), dtype=np.bool_)
    for annotation in annotations:
        try:
            covered |= segmentation.mask(annotation.get("segmentation"), height, width)
        except ValueError as error:
            which = f"annotation {annotation['id']}" if "id" in annotation else "an annotation"
            raise InputError(f"{whence}: {which} can't be read: {error}") from error
    return frame.region(covered, whence)
