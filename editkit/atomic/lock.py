"""The places beside a place where a file or folder is made, and who may write there."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from editkit.errors import OutputError

POLL_SECONDS: Final = 0.05
# A file or folder name has 255 bytes, and a letter up to four.
LONGEST: Final = 50
# Some network file systems keep no locks.
LOCKLESS: Final = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


def beside(place: Path, what: str) -> Path:
    """`.NAME.what` beside `place`, on the same file system; long names are cut, and told apart by a digest.

    Raises:
        ValueError: `place` has no name, or one that no file can have.
    """
    if b"\0" in os.fsencode(place):
        raise ValueError("a path without end")
    name = place.name
    if len(name) > LONGEST:
        name = f"{name[:LONGEST]}-{sha256(os.fsencode(name)).hexdigest()[:8]}"
    return place.with_name(f".{name}.{what}")


def partial(place: Path) -> Path:
    """Where `place` is made; beside it, so that a rename brings it there."""
    return beside(place, "partial")


@contextmanager
def locked(place: Path, *, wait: float = 0.0) -> Iterator[None]:
    """What stands at `place` and beside it is this block's alone.

    The lock is on a file of its own, `.NAME.lock`, because everything else here is renamed. It goes with the
    block; a killed writer's is free, and the next one's to take.

    Args:
        wait: seconds to wait for another writer.

    Raises:
        OutputError: another process writes there.
        OSError: it can't be locked.
    """
    file, until = beside(place, "lock"), time.monotonic() + wait
    while True:
        # 0o666 is narrowed by the umask, as for any file a user makes
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        try:
            if not _taken(descriptor):
                if time.monotonic() >= until:
                    raise OutputError(f"{place}: another process is writing it; try again when it is done")
                time.sleep(POLL_SECONDS)
            elif _is_at(descriptor, file):
                try:
                    yield
                finally:
                    # While it is still held: who opened it before this finds it gone, and looks again.
                    with suppress(OSError):
                        file.unlink()
                return
        finally:
            os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in LOCKLESS:
            raise
    return True


def _is_at(descriptor: int, file: Path) -> bool:
    """Whether what was locked still stands there: its last holder may have removed it in between."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(file, follow_symlinks=False))
    except FileNotFoundError:
        return False
