"""Two folders change places in one step, so that one of them is always there."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from pathlib import Path
from typing import Final

from editkit.atomic.lock import beside

AT_FDCWD: Final = -100
RENAME_EXCHANGE: Final = 2  # Linux
RENAME_SWAP: Final = 2  # macOS
CAN_NOT: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)


def exchanged(new: Path, old: Path) -> None:
    """`new` stands where `old` was, and the other way round.

    Where the file system can't do that at once, `old` is renamed to `.NAME.replaced` first: a kill between
    leaves neither at its place, and `recovered` brings the old one back.

    Raises:
        OSError: it can't be done.
    """
    try:
        _swap(os.fsencode(new), os.fsencode(old))
    except OSError as error:
        if error.errno not in CAN_NOT:
            raise
        between = beside(old, "replaced")
        old.rename(between)
        try:
            new.rename(old)
        except OSError:
            between.rename(old)
            raise
        between.rename(new)


def recovered(place: Path) -> None:
    """What a kill in the middle of an exchange left: the old folder returns, unless the new one is there.

    Raises:
        OSError: it can't be done.
    """
    between = beside(place, "replaced")
    if not between.is_dir() or between.is_symlink():
        return
    if os.path.lexists(place):
        shutil.rmtree(between)
    else:
        between.rename(place)


def _swap(one: bytes, other: bytes) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        failed = library.renamex_np(one, other, ctypes.c_uint(RENAME_SWAP))
    elif hasattr(library, "renameat2"):
        failed = library.renameat2(AT_FDCWD, one, AT_FDCWD, other, ctypes.c_uint(RENAME_EXCHANGE))
    else:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), os.fsdecode(other))
