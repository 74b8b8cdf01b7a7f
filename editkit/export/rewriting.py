"""A checkpoint's folder copied, with other rows in some of its tensors: one copy, one pass of hashing."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from editkit.checkpoint import Checkpoint, Rows
from editkit.errors import ModelError
from editkit.events import Tell, nobody, stage
from editkit.export.copying import (
    chunks,
    cloned,
    copy_range,
    making,
    reading,
    reserve,
    start_writing,
    write_at,
)
from editkit.export.hashing import Changes, hashing, parts
from editkit.export.listing import Listing, known_digest

MEGABYTE: Final = 1_000_000
POLL_SECONDS: Final = 0.2
SMALL_BYTES: Final = 8 * MEGABYTE  # below, a file is hashed whatever was asked


@dataclass(frozen=True)
class Wanted:
    """A digest of a tensor to be made beside the copy: with these rows in it."""

    tensor: str
    rows: tuple[Rows, ...] = ()


@dataclass(frozen=True)
class Rewritten:
    """SHA-256 of the files as they are now (None where not asked for), and of the tensors as wanted."""

    files: Mapping[str, str | None]
    tensors: Mapping[str, str]


def rewrite(
    checkpoint: Checkpoint,
    listed: Listing,
    folder: Path,
    changes: Changes,
    wanted: Mapping[str, Wanted],
    *,
    digests: bool = True,
    tell: Tell = nobody,
) -> Rewritten:
    """Copy the listed files into `folder`, with the changes in them. Memory stays flat.

    Args:
        wanted: name of our own -> digest to make on the way.
        digests: also of every file; otherwise of the small ones.

    Raises:
        ModelError: the base can't be read, or changed meanwhile.
        OSError: the copy can't be written.
    """
    before = {name: _stamp(path) for name, path in listed.files.items()}
    changed = {checkpoint.tensor(name).file for name in changes}
    files: dict[str, Future[str] | str | None] = {}
    with hashing(checkpoint) as work:
        for name, path in listed.files.items():
            known = None if path in changed else known_digest(path)
            if known is None and (digests or before[name][0] < SMALL_BYTES):
                files[name] = work.file(path, changes)
            else:
                files[name] = known
        tensors = {name: work.tensor(one.tensor, one.rows) for name, one in wanted.items()}
        made = [one for one in (*files.values(), *tensors.values()) if isinstance(one, Future)]
        with stage(tell, "copy (MB)", sum(size for size, *_ in before.values()) // MEGABYTE) as advance:
            _copy_all(checkpoint, listed, folder, changes, _Megabytes(advance, made))
        with stage(tell, "hash", len(made)) as advance:
            _await(made, advance)
    for name, path in listed.files.items():
        if _stamp(path) != before[name]:
            raise ModelError(f"{path}: changed while it was exported; nothing was written, try again")
    return Rewritten(
        {name: one.result() if isinstance(one, Future) else one for name, one in files.items()},
        {name: one.result() for name, one in tensors.items()},
    )


def _stamp(path: Path) -> tuple[int, int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise ModelError(f"{path}: can't be read ({error.strerror})") from error
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev


class _Megabytes:
    """Tells of whole megabytes, and looks at each step whether the hashing has failed."""

    def __init__(self, advance: Callable[..., None], made: Iterable[Future[str]]) -> None:
        self._advance = advance
        self._made = tuple(made)
        self._rest = 0

    def __call__(self, n_bytes: int, note: str) -> None:
        steps, self._rest = divmod(self._rest + n_bytes, MEGABYTE)
        self._advance(steps, note)
        for one in self._made:
            if one.done():
                one.result()


def _copy_all(
    checkpoint: Checkpoint, listed: Listing, folder: Path, changes: Changes, advance: _Megabytes
) -> None:
    for name, source in listed.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with reading(source) as old, making(target) as new:
            size, shared = os.fstat(old).st_size, cloned(old, new)
            if not shared:
                reserve(new, size)
            for start, end, tensor in parts(checkpoint, source, size, changes):
                for at, until in [(start, end)] if shared else chunks(start, end):
                    if not shared:
                        copy_range(old, new, at, until)
                        if tensor is None:
                            start_writing(new, at, until)
                    advance(until - at, name)
                if tensor is not None:
                    _lay(new, checkpoint, tensor, changes[tensor])
                    start_writing(new, start, end)


def _lay(new: int, checkpoint: Checkpoint, tensor: str, changed: tuple[Rows, ...]) -> None:
    """Put the rows into the copied tensor.

    Where neurons are columns their matrices are written whole: thousands of single values, each in a block
    of its own that was shared with the base, take six times as long.
    """
    info = checkpoint.tensor(tensor)
    height = info.shape[-2]
    row = (info.end - info.start) // math.prod(info.shape[:-1])
    if all(one.orientation == "rows" for one in changed):
        for one in changed:
            first = (one.expert or 0) * height
            for neuron, bits in zip(one.neurons.tolist(), one.bits, strict=True):
                write_at(new, bits.tobytes(), info.start + (first + neuron) * row)
        return
    for slab in sorted({one.expert or 0 for one in changed}):
        within = (slab * height, (slab + 1) * height)
        for at, block in checkpoint.with_rows(tensor, *changed, within=within):
            write_at(new, block.data.cast("B"), info.start + at * row)


def _await(made: list[Future[str]], advance: Callable[..., None]) -> None:
    rest = set(made)
    while rest:
        done, rest = wait(rest, timeout=POLL_SECONDS)
        for one in done:
            one.result()
        advance(len(done))
