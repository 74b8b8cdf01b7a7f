"""The before/after table: what a reviewer looks at first, the worst cases on top."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from editkit.errors import InputError
from editkit.plan import Picture
from editkit.report import Row

if TYPE_CHECKING:
    from PIL.Image import Image

ROWS: Final = 60
# Failures never fill the whole table: a reviewer wants to see what success looks like too.
FAILURES: Final = 40
SIDE: Final = 128


def chosen(rows: Iterable[Row], most: int = ROWS, failures: int = FAILURES) -> tuple[Row, ...]:
    """At most `most` rows: those that failed, then those that changed, then the rest."""
    everything = tuple(rows)
    failed = [row for row in everything if not row.ok]
    fine = sorted((row for row in everything if row.ok), key=lambda row: row.before == row.after)
    kept = failed[: max(failures, most - len(fine))]
    return (*kept, *fine)[:most]


def columns(rows: Iterable[Row], pictures: Mapping[str, Picture]) -> dict[str, list[object]]:
    """Columns for `log_table`; the picture column is there when any row has one."""
    rows = tuple(rows)
    table: dict[str, list[object]] = {}
    if any(name in pictures for row in rows for name in row.images):
        table["picture"] = [_thumbnail(row, pictures) for row in rows]
    table["ok"] = ["yes" if row.ok else "no" for row in rows]
    table["role"] = [row.part for row in rows]
    table["prompt"] = [row.prompt for row in rows]
    table["before"] = [row.before for row in rows]
    table["after"] = [row.after for row in rows]
    table["control"] = ["" if row.control is None else row.control for row in rows]
    table["wanted"] = ["" if row.wanted is None else row.wanted for row in rows]
    table["edit"] = ["" if row.edit is None else str(row.edit) for row in rows]
    table["case"] = [row.case for row in rows]
    return table


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
