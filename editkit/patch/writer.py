"""Contents to bytes, the same for the same contents."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Final

from editkit.checkpoint.tensorfile import Bits
from editkit.errors import PatchError
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
