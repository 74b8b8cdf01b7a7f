"""Bytes to contents: every byte is taken for forged until it fits, and only PatchError ever leaves."""

from __future__ import annotations

import os
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Final

import numpy as np

from editkit.checkpoint.tensorfile import BITS, Bits, TensorInfo, opened, read_header
from editkit.errors import PatchError
from editkit.patch.document import from_json
from editkit.patch.format import METADATA_KEY, Contents, Entry
from editkit.patch.writer import LONGEST_PATCH_HEADER, header

DTYPES: Final = {"I64": np.dtype("<i8"), **BITS}
PARTS: Final = ("neurons", "original", "edited")


def read_file(path: Path) -> Contents:
    """The contents of a patch file.

    Raises:
        PatchError: there is none, or it is damaged, of another version or not a patch.
    """
    try:
        with opened(path) as stream:
            return read(stream, os.fstat(stream.fileno()).st_size)
    except PatchError as error:
        raise PatchError(f"{path}: {error}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no possible file name"
        raise PatchError(f"{path}: the patch can't be read ({reason})") from error


def read(stream: BufferedReader | BytesIO, size: int) -> Contents:
    """The contents of a patch of `size` bytes; memory stays near the size of its rows.

    Raises:
        PatchError: a byte is not as format version 1 has it.
    """
    try:
        tensors, metadata = read_header(stream, Path("patch"), size, LONGEST_PATCH_HEADER)
    except ValueError as error:
        raise PatchError(f"no patch, or a damaged one: {error}") from error
    if set(metadata) != {METADATA_KEY}:
        raise PatchError(f"no patch: its metadata does not have {METADATA_KEY!r} as its one key")
    document = from_json(metadata[METADATA_KEY])
    expected = [f"{number}.{part}" for number in range(len(document.entries)) for part in PARTS]
    if set(tensors) != set(expected):
        raise PatchError("damaged: its tensors are not the three of each entry")
    arrays = {
        info.name: _array(stream, info) for info in sorted(tensors.values(), key=lambda info: info.start)
    }
    entries = tuple(
        Entry(
            **vars(site),
            dtype=tensors[f"{number}.original"].dtype,
            neurons=arrays[f"{number}.neurons"].astype(np.int64, copy=False),
            original=arrays[f"{number}.original"],
            edited=arrays[f"{number}.edited"],
        )
        for number, site in enumerate(document.entries)
    )
    contents = Contents(document.base, entries, document.provenance)
    # One patch has one spelling, so that its digest names it.
    stream.seek(0)
    canonical = header(contents)
    if stream.read(len(canonical)) != canonical:
        raise PatchError("its header is not written the one way that format version 1 allows")
    return contents


def _array(stream: BufferedReader | BytesIO, info: TensorInfo) -> Bits:
    if info.dtype not in DTYPES:
        raise PatchError(f"tensor {info.name!r:.200} has the dtype {info.dtype}, which no patch has")
    # A bytearray, because torch warns about arrays it could not write to.
    content = bytearray(info.end - info.start)
    if stream.readinto(content) < len(content):
        raise PatchError("the file became shorter while it was read")
    return np.frombuffer(content, DTYPES[info.dtype]).reshape(info.shape)
