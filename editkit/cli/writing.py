"""Small files that commands write."""

from __future__ import annotations

import os
from pathlib import Path

from editkit.atomic import writable, write_whole
from editkit.errors import OutputError


def write_text(place: Path, text: str, *, replace: bool = True) -> None:
    """Write a UTF-8 file, whole or not at all.

    Raises:
        OutputError: the place can't be written, or holds a file that may not be replaced.
    """
    _replaced(place, replace)
    write_whole(place, [text.encode("utf-8")])


def unwritten(place: Path, replace: bool) -> None:
    """Look at a place before the work whose result goes there.

    Raises:
        OutputError: it can't be written, or holds a file that may not be replaced.
    """
    _replaced(place, replace)
    writable(place)


def _replaced(place: Path, replace: bool) -> None:
    if not replace and os.path.lexists(place):
        raise OutputError(f"{place}: is there already; name another place, or use --force")
