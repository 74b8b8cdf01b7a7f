"""A file, whole or not at all."""

from __future__ import annotations

import os
import shutil
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
    try:
        _replaceable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path, wait=WAIT_SECONDS):
            cleared(partial(path))
            os.close(_made(partial(path)))
            partial(path).unlink()
    except OSError as error:
        why = f"{path} can't be written ({error.strerror}): give another place with -o"
        raise OutputError(why) from error
    except ValueError as error:
        raise OutputError(f"{str(path)!r}: no possible file name") from error


def write_whole(path: Path, content: Iterable[bytes | memoryview]) -> None:
    """Write beside `path`, sync, rename: a reader sees the old file or the new one, after a power cut too.

    A symbolic link at `path` is replaced, never written through.

    Raises:
        OutputError: the place can't be written; nothing is left there.
    """
    try:
        beside = partial(path)
    except ValueError as error:
        raise OutputError(f"{str(path)!r}: no possible file name") from error
    try:
        _replaceable(path)
        with locked(path, wait=WAIT_SECONDS):
            # Not written over: it may be a link to somewhere, or have another run's mode.
            cleared(beside)
            try:
                with os.fdopen(_made(beside), "wb") as stream:
                    for piece in content:
                        stream.write(piece)
                    stream.flush()
                    os.fsync(stream.fileno())
                os.replace(beside, path)
            except BaseException:
                with suppress(OSError):
                    beside.unlink()
                raise
        sync(path.parent)
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({error.strerror})") from error


def _replaceable(path: Path) -> None:
    if path.exists() and not path.is_file():
        # Renaming a file over `/dev/null` would work for root, and last.
        what = "folder" if path.is_dir() else "device or pipe"
        raise OutputError(f"{path} is a {what}: give the name of a file (-o)")


def _made(beside: Path) -> int:
    return os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)


def cleared(leftover: Path) -> None:
    """Nothing stands there any more, whether a killed writer left a file or a folder; links are not followed.

    Raises:
        OSError: it can't be removed.
    """
    if leftover.is_dir() and not leftover.is_symlink():
        shutil.rmtree(leftover)
    else:
        leftover.unlink(missing_ok=True)


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
