"""A file, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from editkit.atomic.lock import locked, partial
from editkit.errors import OutputError

WAIT_SECONDS: Final = 10.0  # a file is written in less


def writable(path: Path) -> None:
    """Look, before the long work, whether a file can be written there; missing folders are made.

    Raises:
        OutputError: it can't.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder: give -o the name of a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path, folder=False, wait=WAIT_SECONDS):
            partial(path).unlink()
    except OSError as error:
        why = f"{path} can't be written ({error.strerror}): give another place with -o"
        raise OutputError(why) from error


def write_whole(path: Path, content: Iterable[bytes | memoryview]) -> None:
    """Write beside `path`, sync, rename: a reader sees the old file or the new one, after a power cut too.

    Raises:
        OutputError: the place can't be written; nothing is left there.
    """
    try:
        beside = partial(path)
        with locked(path, folder=False, wait=WAIT_SECONDS) as descriptor:
            try:
                with os.fdopen(os.dup(descriptor), "wb") as stream:
                    stream.truncate(0)
                    for piece in content:
                        stream.write(piece)
                    stream.flush()
                    os.fsync(stream.fileno())
                os.replace(beside, path)
            finally:
                with suppress(FileNotFoundError):
                    beside.unlink()
        sync(path.parent)
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({error.strerror})") from error
    except ValueError as error:
        raise OutputError(f"{str(path)!r}: no possible file name") from error


def sync(path: Path) -> None:
    """Have a file or folder on the disk. Not every file system syncs folders; their files are whole then too.

    Raises:
        OSError: a file's bytes can't be written.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        if not path.is_dir():
            raise
    finally:
        os.close(descriptor)
