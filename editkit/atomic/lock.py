"""The place beside a place where a file or folder is made, and who may write there."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from editkit.errors import OutputError

POLL_SECONDS: Final = 0.05


def partial(place: Path) -> Path:
    """Where `place` is made; beside it, so that a rename brings it there."""
    return place.with_name(f".{place.name[:50]}.partial")


@contextmanager
def locked(place: Path, *, folder: bool, wait: float = 0.0) -> Iterator[int]:
    """The file or folder `partial(place)`, made if need be and ours alone: its descriptor.

    Args:
        wait: seconds to wait for another writer.

    Raises:
        OutputError: another process writes there.
        OSError: it can't be made.
    """
    beside, until = partial(place), time.monotonic() + wait
    while True:
        descriptor = _opened(beside, folder)
        try:
            if not _taken(descriptor):
                if time.monotonic() >= until:
                    raise OutputError(f"{place}: another process is writing it; try again when it is done")
                time.sleep(POLL_SECONDS)
            elif _is_at(descriptor, beside):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _opened(beside: Path, folder: bool) -> int:
    while True:
        if not folder:
            # 0o666 is narrowed by the umask, as for any file a user makes
            return os.open(beside, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        beside.mkdir(exist_ok=True)
        try:
            return os.open(beside, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue  # its writer has just renamed it


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, beside: Path) -> bool:
    """Whether what was locked still stands there: its last writer may have renamed it in between."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(beside, follow_symlinks=False))
    except FileNotFoundError:
        return False
