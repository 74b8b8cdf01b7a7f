"""Two folders change places in one step, so that one of them is always there."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Final

AT_FDCWD: Final = -100
RENAME_EXCHANGE: Final = 2  # Linux
RENAME_SWAP: Final = 2  # macOS
CAN_NOT: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)


def exchanged(new: Path, old: Path) -> None:
    """`new` stands where `old` was, and the other way round.

    Where the file system can't do that at once, `old` is renamed away first: a kill between leaves neither
    at its place, and both beside it.

    Raises:
        OSError: it can't be done.
    """
    try:
        _swap(os.fsencode(new), os.fsencode(old))
    except OSError as error:
        if error.errno not in CAN_NOT:
            raise
        between = old.with_name(f".{old.name[:50]}.replaced")
        old.rename(between)
        try:
            new.rename(old)
        except OSError:
            between.rename(old)
            raise
        between.rename(new)


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
