"""Small files that commands write."""

from __future__ import annotations

from pathlib import Path

from editkit.errors import OutputError


def write_text(place: Path, text: str, *, replace: bool = True) -> None:
    """Write a UTF-8 file.

    Raises:
        OutputError: the place can't be written, or holds a file that may not be replaced.
    """
    try:
        with place.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise OutputError(f"{place}: is there already; name another place, or use --force") from error
    except OSError as error:
        raise OutputError(f"{place}: can't be written ({error.strerror})") from error
