"""SHA-256 of files and tensors in other threads, while their copy is written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Final

from editkit.checkpoint import Checkpoint, Rows
from editkit.errors import ModelError
from editkit.export.copying import reading

WORKERS: Final = max(2, min(4, os.cpu_count() or 2))  # more would only wait for the disk
BUFFER_BYTES: Final = 1 << 20
Changes = Mapping[str, tuple[Rows, ...]]  # tensor -> the rows that will stand in it, the last ones on top
Part = tuple[int, int, str | None]


def parts(checkpoint: Checkpoint, file: Path, size: int, changes: Changes) -> list[Part]:
    """A file's bytes in order: `(start, end, the changed tensor that they are or None)`."""
    infos = [checkpoint.tensor(name) for name in changes]
    found: list[Part] = []
    at = 0
    for info in sorted((one for one in infos if one.file == file), key=lambda one: one.start):
        found += [(at, info.start, None), (info.start, info.end, info.name)]
        at = info.end
    return [*found, (at, size, None)]


class Hashing:
    """Digests that are being made; they stop early when their reason is gone."""

    def __init__(self, checkpoint: Checkpoint, pool: ThreadPoolExecutor) -> None:
        self.checkpoint = checkpoint
        self._pool = pool
        self._stopped = Event()

    def file(self, path: Path, changes: Changes) -> Future[str]:
        """Of a file with the changes in it."""
        return self._pool.submit(self._file, path, changes)

    def tensor(self, name: str, rows: tuple[Rows, ...]) -> Future[str]:
        """Of a tensor with these rows in it."""
        return self._pool.submit(self._tensor, name, rows)

    def stop(self) -> None:
        self._stopped.set()

    def _going_on(self) -> None:
        if self._stopped.is_set():
            raise ModelError("the digests are no longer wanted")

    def _file(self, path: Path, changes: Changes) -> str:
        digest, buffer = sha256(), memoryview(bytearray(BUFFER_BYTES))
        with reading(path) as descriptor:
            for start, end, name in parts(self.checkpoint, path, os.fstat(descriptor).st_size, changes):
                if name is not None:
                    for _, block in self.checkpoint.with_rows(name, *changes[name]):
                        self._going_on()
                        digest.update(block.data)
                    continue
                while start < end:
                    self._going_on()
                    n = os.preadv(descriptor, [buffer[: min(len(buffer), end - start)]], start)
                    if not n:
                        raise ModelError(f"{path}: became shorter while it was read")
                    digest.update(buffer[:n])
                    start += n
        return digest.hexdigest()

    def _tensor(self, name: str, rows: tuple[Rows, ...]) -> str:
        digest = sha256()
        for _, block in self.checkpoint.with_rows(name, *rows):
            self._going_on()
            digest.update(block.data)
        return digest.hexdigest()


@contextmanager
def hashing(checkpoint: Checkpoint) -> Iterator[Hashing]:
    """Threads that hash, for the time of a block; they are gone when it is left, however it is left."""
    pool = ThreadPoolExecutor(WORKERS, "hash")
    work = Hashing(checkpoint, pool)
    try:
        yield work
    finally:
        work.stop()
        pool.shutdown(wait=True, cancel_futures=True)
