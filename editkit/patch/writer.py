"""Contents to bytes, the same for the same contents, and bytes to a file, whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from editkit.checkpoint.tensorfile import Bits
from editkit.errors import OutputError, PatchError
from editkit.patch.document import to_json
from editkit.patch.format import METADATA_KEY, Contents

LONGEST_PATCH_HEADER: Final = 16 << 20


def arrays(contents: Contents) -> list[tuple[str, str, Bits]]:
    """`(tensor name, dtype, values)` in file order: widest dtype first, so that everything stays aligned."""
    found: list[tuple[str, str, Bits]] = []
    for number, entry in enumerate(contents.entries):
        found.append((f"{number}.neurons", "I64", entry.neurons))
        found.append((f"{number}.original", entry.dtype, entry.original))
        found.append((f"{number}.edited", entry.dtype, entry.edited))
    # sorted() is stable: within one width, entry by entry
    return sorted(found, key=lambda item: -item[2].dtype.itemsize)


def header(contents: Contents) -> bytes:
    """Everything before the first tensor's bytes.

    Raises:
        PatchError: it would be longer than a reader accepts.
    """
    table: dict[str, object] = {"__metadata__": {METADATA_KEY: to_json(contents)}}
    at = 0
    for name, dtype, values in arrays(contents):
        table[name] = {"dtype": dtype, "shape": values.shape, "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(table, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    if len(text) > LONGEST_PATCH_HEADER:
        raise PatchError("the patch's description is too long: change fewer neurons, or keep fewer scores")
    return struct.pack("<Q", len(text)) + text


def pieces(contents: Contents) -> Iterator[bytes | memoryview]:
    """The file, piece by piece."""
    yield header(contents)
    for _, _, values in arrays(contents):
        little = values.astype(values.dtype.newbyteorder("<"), order="C", copy=False)
        yield little.data.cast("B")


def writable(path: Path) -> None:
    """Look, before the long work, whether a file can be written there; missing folders are made.

    Raises:
        OutputError: it can't.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder: give -o the name of a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        probe = path.with_name(f".{path.name[:50]}.{secrets.token_hex(4)}.tmp")
        probe.touch()
        probe.unlink()
    except OSError as error:
        why = f"{path} can't be written ({error.strerror}): give another place with -o"
        raise OutputError(why) from error


def write_whole(path: Path, content: Iterable[bytes | memoryview]) -> None:
    """Write beside `path`, sync, rename: a reader sees the old file or the new one, after a power cut too.

    Raises:
        OutputError: the place can't be written; nothing is left there.
    """
    try:
        beside = path.with_name(f".{path.name[:50]}.{secrets.token_hex(4)}.tmp")
        # 0o666 is narrowed by the umask, as for any file a user makes
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                for piece in content:
                    stream.write(piece)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(beside, path)
        finally:
            with suppress(FileNotFoundError):
                beside.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({error.strerror})") from error
    except ValueError as error:
        raise OutputError(f"{str(path)!r}: no possible file name") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Not every file system can; the file itself is whole by now.
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
