"""The before/after table: what a reviewer looks at first, the worst cases on top."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from editkit.errors import InputError
from editkit.page.changes import changes, told
from editkit.plan import Picture
from editkit.report import Row

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE: Final = 128


def columns(rows: Iterable[Row], pictures: Mapping[str, Picture]) -> dict[str, list[object]]:
    """Columns of text and one of pictures: the same in every run, so that tables of several can be joined."""
    rows = tuple(rows)
    return {
        "picture": [_thumbnail(row, pictures) for row in rows],
        "ok": ["yes" if row.ok else "no" for row in rows],
        "role": [row.role for row in rows],
        "suite": [row.suite or ("near" if row.near else "") for row in rows],
        "prompt": [row.prompt for row in rows],
        "before": [row.before for row in rows],
        "after": [row.after for row in rows],
        "changed": [told(changes(row.before, row.after)) for row in rows],
        "control": [row.control or "" for row in rows],
        "wanted": [row.wanted or "" for row in rows],
        "drift": ["" if row.drift is None else f"{row.drift:.3g}" for row in rows],
        "edit": ["" if row.edit is None else str(row.edit) for row in rows],
        "case": [row.case for row in rows],
    }


def _thumbnail(row: Row, pictures: Mapping[str, Picture]) -> Image:
    """The row's first picture; an empty one where it has none, since a column holds one type only."""
    return _small(next((pictures[name] for name in row.images if name in pictures), None))


def _small(picture: Picture | None) -> Image:
    from PIL import Image

    try:
        image = picture.open() if picture is not None else Image.new("RGB", (1, 1), "white")
    except (InputError, OSError):
        return Image.new("RGB", (1, 1), "white")
    image.thumbnail((SIDE, SIDE))
    return image
