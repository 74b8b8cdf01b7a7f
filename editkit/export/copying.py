"""A file copied as cheaply as the file system can: shared blocks, else inside the kernel, else by hand."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from editkit.errors import ModelError

FICLONE: Final = 0x40049409  # Linux: the copy shares the blocks until one of the two is written
CHUNK_BYTES: Final = 8 << 20
SYNC_FILE_RANGE_WRITE: Final = 2
# Refusals of one way to copy; another one may do it, or meets the same error again and says so.
NOT_THIS_WAY: Final = (
    errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM, errno.EBADF,
    errno.ETXTBSY,
)  # fmt: skip

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def reading(path: Path) -> Iterator[int]:
    """A descriptor of a file, or of what a link leads to: an error of reading is told apart from writing.

    Raises:
        ModelError: it can't be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise ModelError(f"{path}: can't be read ({error.strerror})") from error
    try:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def making(path: Path) -> Iterator[int]:
    """A descriptor of a new file, of the mode that the umask leaves; OSError where there is one."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def copied(source: Path, target: Path) -> None:
    """A new file `target` with the bytes of `source`, which may be a link.

    Raises:
        ModelError: the source can't be read.
        OSError: the target can't be written, or is there.
    """
    with reading(source) as old, making(target) as new:
        if not cloned(old, new):
            size = os.fstat(old).st_size
            reserve(new, size)
            for start, end in chunks(0, size):
                copy_range(old, new, start, end)
                start_writing(new, start, end)


def cloned(old: int, new: int) -> bool:
    """Whether the empty file `new` could be made to share the blocks of `old`."""
    try:
        fcntl.ioctl(new, FICLONE, old)
    except OSError:
        return False
    return True


def clones(source: Path, place: Path) -> bool:
    """Whether files made at `place`, which need not be there, can share the blocks of `source`."""
    there = next((folder for folder in place.absolute().parents if os.path.isdir(folder)), None)
    if there is None or not hasattr(os, "O_TMPFILE"):
        return False
    try:
        # A file without a name: nothing is left of it, however this ends.
        new = os.open(there, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError:
        return False
    try:
        with reading(source) as old:
            return cloned(old, new)
    finally:
        os.close(new)


def chunks(start: int, end: int) -> Iterator[tuple[int, int]]:
    """`[start, end)` in parts small enough to tell of progress and to be interrupted between them."""
    for at in range(start, end, CHUNK_BYTES):
        yield at, min(at + CHUNK_BYTES, end)


def copy_range(old: int, new: int, start: int, end: int) -> None:
    """Bytes `[start, end)` of one file at the same place of another.

    Raises:
        ModelError: the source ends before `end`.
        OSError: it can't be read or written.
    """
    while start < end:
        n = _in_kernel(old, new, start, end)
        start += n or _by_hand(old, new, start, end)


def _in_kernel(old: int, new: int, start: int, end: int) -> int:
    if not hasattr(os, "copy_file_range"):
        return 0
    try:
        return os.copy_file_range(old, new, end - start, start, start)
    except OSError as error:
        if error.errno not in NOT_THIS_WAY:
            raise
        return 0


def _by_hand(old: int, new: int, start: int, end: int) -> int:
    piece = os.pread(old, end - start, start)
    if not piece:
        raise ModelError("a file of the checkpoint became shorter while it was copied")
    write_at(new, piece, start)
    return len(piece)


def write_at(descriptor: int, content: bytes | memoryview, at: int) -> None:
    """All of `content`; a disk that fills up takes a part of it first, and says so at the next."""
    rest = memoryview(content)
    while len(rest):
        n = os.pwrite(descriptor, rest, at)
        rest, at = rest[n:], at + n


def start_writing(descriptor: int, start: int, end: int) -> None:
    """Have the kernel begin to bring these bytes to the disk, so that the last sync has little left to do."""
    ask = _linux("sync_file_range")
    if ask is not None:
        ask(descriptor, start, end - start, SYNC_FILE_RANGE_WRITE)


def reserve(descriptor: int, n_bytes: int) -> None:
    """Room for a new file at once, where that can be had: writing is faster, a full disk shows first.

    Raises:
        OSError: there is no room.
    """
    ask = _linux("fallocate")
    if ask is not None and n_bytes and ask(descriptor, 0, 0, n_bytes):
        number = ctypes.get_errno()
        if number in NO_ROOM:
            raise OSError(number, os.strerror(number))


@cache
def _linux(name: str) -> Any:
    """A function of Linux's that Python does not have, or has in a form that writes zeros itself."""
    found = getattr(ctypes.CDLL(None, use_errno=True), name, None) if sys.platform == "linux" else None
    if found is not None:
        last = ctypes.c_uint if name == "sync_file_range" else ctypes.c_int64
        second = ctypes.c_int64 if name == "sync_file_range" else ctypes.c_int
        found.argtypes = (ctypes.c_int, second, ctypes.c_int64, last)
    return found
