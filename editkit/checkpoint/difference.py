"""Two checkpoints, byte by byte: which tensors differ, and which neurons of a W_out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from editkit.checkpoint.folder import Checkpoint, Orientation
from editkit.checkpoint.tensorfile import TensorInfo, blocks
from editkit.errors import ModelError

READ_BYTES: Final = 1 << 20
WORKERS: Final = min(4, os.cpu_count() or 1)


def same_bytes(one: Path, other: Path, spans: Iterable[tuple[int, int, int]]) -> bool:
    """Whether two files agree in `(start in one, start in other, length)`; memory stays flat.

    Raises:
        OSError: a file can't be read, or is too short.
    """
    first, second = bytearray(READ_BYTES), bytearray(READ_BYTES)
    with ExitStack() as stack:
        streams = [stack.enter_context(path.open("rb", buffering=0)) for path in (one, other)]
        for start, beginning, length in spans:
            streams[0].seek(start)
            streams[1].seek(beginning)
            while length > 0:
                if length < len(first):
                    first, second = bytearray(length), bytearray(length)
                for stream, buffer in zip(streams, (first, second), strict=True):
                    if stream.readinto(buffer) < len(buffer):
                        raise OSError(0, "the file became shorter while it was read", stream.name)
                if first != second:
                    return False
                length -= len(first)
            if len(first) < READ_BYTES:
                first, second = bytearray(READ_BYTES), bytearray(READ_BYTES)
    return True


def same_tensor(one: TensorInfo, other: TensorInfo) -> bool:
    """Whether two tensors of one dtype and shape have the same bytes.

    Raises:
        ModelError: a file can't be read.
    """
    try:
        return same_bytes(one.file, other.file, [(one.start, other.start, one.end - one.start)])
    except OSError as error:
        raise ModelError(f"{error.filename or one.file}: can't be read ({error.strerror})") from error


def compared(one: Checkpoint, other: Checkpoint, names: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Tensors that both have in one dtype and shape, each with whether its bytes are the same, in any order.

    Raises:
        ModelError: a file can't be read.
    """
    # In the order of the file, which is the order in which a disk reads fastest.
    order = sorted(names, key=lambda name: (str(one.tensors[name].file), one.tensors[name].start))
    pool = ThreadPoolExecutor(WORKERS, "compare")
    try:
        work = {pool.submit(same_tensor, one.tensors[name], other.tensors[name]): name for name in order}
        for done in as_completed(work):
            yield work[done], done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def moved(
    one: Checkpoint, other: Checkpoint, name: str, orientation: Orientation, expert: int | None = None
) -> NDArray[np.int64]:
    """The neurons whose rows differ in a tensor that both have in one dtype and shape, ascending.

    Raises:
        ModelError: a dtype that can't be edited, no matrix, or a file that can't be read.
    """
    first, second = one.tensor(name), other.tensor(name)
    # A look at no rows: it refuses what has none.
    one.read_rows(name, np.empty(0, np.int64), orientation, expert)
    height, width = first.shape[-2:]
    start = (expert or 0) * height
    found = np.zeros(height if orientation == "rows" else width, bool)
    try:
        pairs = zip(blocks(first, start, start + height), blocks(second, start, start + height), strict=True)
        for (at, block), (_, changed) in pairs:
            if block.data == changed.data:
                continue
            if orientation == "rows":
                found[at - start : at - start + len(block)] = (block != changed).any(axis=1)
            else:
                found |= (block != changed).any(axis=0)
    except OSError as error:
        raise ModelError(f"{error.filename or first.file}: can't be read ({error.strerror})") from error
    return np.flatnonzero(found).astype(np.int64)
