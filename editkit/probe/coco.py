"""Pictures of a COCO instances file: which categories they show, and where."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Instances:
    """What an instances file tells of pictures, whether they are there or not.

    Attributes:
        kinds: all categories of the file, in its order.
        names: of the pictures' files; in the same order, `entries` are what the file says of them and `shown`
            their annotations by category.
    """

    file: Path
    kinds: tuple[str, ...]
    names: tuple[Path, ...]
    entries: tuple[Entry, ...]
    shown: tuple[Mapping[str, Sequence[Entry]], ...]

    def pictures(self, folder: Path, count: int | None) -> list[Picture]:
        """The first `count` pictures that are in a folder.

        Raises:
            InputError: none of them is.
        """
        placed = zip(self.names, self.entries, self.shown, strict=True)
        there = [one for one in placed if (folder / one[0]).is_file()]
        if not there:
            raise InputError(
                f"probe images: none of the {len(self.entries)} pictures of {self.file} is in {folder}"
            )
        return [self._picture(folder / name, item, shown) for name, item, shown in there[:count]]

    def contents(self) -> list[frozenset[str]]:
        """The categories that each picture shows."""
        return [frozenset(shown) for shown in self.shown]

    def _picture(self, path: Path, item: Entry, shown: Mapping[str, Sequence[Entry]]) -> Picture:
        bare = Picture(path.name, path)
        regions = {kind: partial(region, bare, item, own, self.file.name) for kind, own in shown.items()}
        return Picture(path.name, path, frozenset(shown), regions, kinds=frozenset(self.kinds))


def instances(file: Path) -> Instances:
    """Read an instances file.

    Raises:
        InputError: the file can't be read or is no instances file.
    """
    try:
        document: Entry = json.loads(file.read_text(encoding="utf-8"))
        categories = {item["id"]: str(item["name"]) for item in document["categories"]}
        shown: dict[Any, dict[str, list[Entry]]] = {item["id"]: {} for item in document["images"]}
        for item in document["annotations"]:
            shown[item["image_id"]].setdefault(categories[item["category_id"]], []).append(item)
        entries = tuple(document["images"])
        names = tuple(Path(item["file_name"]) for item in entries)
    except OSError as error:
        raise InputError(f"probe images: {file} can't be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"probe images: {file} is no COCO instances file ({type(error).__name__})"
        ) from error
    kinds = tuple(dict.fromkeys(categories.values()))
    return Instances(file, kinds, names, entries, tuple(shown[item["id"]] for item in entries))


def pictures(file: Path, folder: Path, count: int | None) -> list[Picture]:
    """The first `count` pictures that are there; they contain the categories annotated in them.

    Raises:
        InputError: the file can't be read or is no instances file, or none of its pictures is there.
    """
    return instances(file).pictures(folder, count)


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
