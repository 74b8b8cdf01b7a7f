"""A folder, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from editkit.atomic.exchange import exchanged, recovered
from editkit.atomic.file import cleared, sync
from editkit.atomic.lock import locked, partial
from editkit.errors import OutputError


def vacant(place: Path, *, replace: str | None = None, hint: str = "name another place") -> None:
    """Look, before the long work, whether something is there that may not be replaced.

    Args:
        replace: a file by which a folder that may be replaced is known; empty folders always may.
        hint: what the user can do where nothing may be replaced.

    Raises:
        OutputError: there is.
    """
    try:
        os.lstat(place)
        folder = place.is_dir() and not place.is_symlink()
        known = folder and replace is not None and ((place / replace).is_file() or not any(place.iterdir()))
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{place}: can't be written ({error.strerror})") from error
    except ValueError as error:
        raise OutputError(f"{str(place)!r}: no possible name for a folder") from error
    if replace is None:
        raise OutputError(f"{place}: is there already; {hint}")
    if not known:
        raise OutputError(
            f"{place}: is there already, and nothing that editkit wrote (it has no {replace}): name "
            "another place, or move it away"
        )


@contextmanager
def new_folder(place: Path, n_bytes: int = 0, *, replace: str | None = None) -> Iterator[Path]:
    """A folder beside `place`, renamed to it when the block ends; nothing is left where it fails.

    Args:
        n_bytes: what will be written, if that much should be free.
        replace: see `vacant`; what stood there goes when the new folder is complete.

    Raises:
        OutputError: `place` is there already, is being written, can't be, or has no room for `n_bytes`.
    """
    try:
        beside = partial(place)
    except ValueError as error:
        raise OutputError(f"{str(place)!r}: no possible name for a folder") from error
    try:
        vacant(place, replace=replace)
        made = [folder for folder in (place.parent, *place.parent.parents) if not folder.exists()]
        place.parent.mkdir(parents=True, exist_ok=True)
        with locked(place):
            recovered(place)
            cleared(beside)
            vacant(place, replace=replace)
            _room(place, n_bytes)
            try:
                beside.mkdir()
                yield beside
                _synced(beside)
                vacant(place, replace=replace)
                if place.exists():
                    exchanged(beside, place)
                else:
                    beside.rename(place)
                # On the disk before the old one goes, or a power cut could take both.
                for folder in (place.parent, *(above.parent for above in made)):
                    sync(folder)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"{place}: can't be written ({error.strerror or error})") from error


def _room(place: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(place.parent).free
    if free < n_bytes:
        raise OutputError(
            f"{place}: {n_bytes / 1e9:.1f} GB are to be written and {free / 1e9:.1f} GB are free there: "
            "name another place"
        )


def _synced(folder: Path) -> None:
    for where, _, files in os.walk(folder):
        for name in files:
            sync(Path(where, name))
        sync(Path(where))
