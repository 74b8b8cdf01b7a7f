"""Small files that commands write."""

from __future__ import annotations

import os
from pathlib import Path

from editkit.atomic import write_whole
from editkit.errors import OutputError


def write_text(place: Path, text: str, *, replace: bool = True) -> None:
    """Write a UTF-8 file, whole or not at all.

    Raises:
        OutputError: the place can't be written, or holds a file that may not be replaced.
    """
    if not replace and os.path.lexists(place):
        raise OutputError(f"{place}: is there already; name another place, or use --force")
    write_whole(place, [text.encode("utf-8")])
