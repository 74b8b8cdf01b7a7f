"""One safetensors file: its header, read as if somebody had forged it, and its bytes, a block at a time."""

from __future__ import annotations

import errno
import math
import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from editkit.checkpoint.strict import strict_json

# Raw bits: unsigned integers as wide as the dtype, so that no value is ever rounded on the way.
Bits = NDArray[Any]

BITS: Final[dict[str, np.dtype[Any]]] = {
    "F32": np.dtype("<u4"),
    "F16": np.dtype("<u2"),
    "BF16": np.dtype("<u2"),
}
WIDTHS: Final = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F8_E8M0": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip
LONGEST_HEADER: Final = 100_000_000
BLOCK_BYTES: Final = 1 << 22


@dataclass(frozen=True)
class TensorInfo:
    """Where one tensor's bytes are: `[start, end)`, counted from the first byte of the file."""

    file: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def opened(file: Path) -> BufferedReader:
    """A file to read; a pipe or device in its place is refused, not waited for.

    Raises:
        OSError: it is none, or can't be read.
    """
    stream = open(file, "rb", opener=_without_waiting)  # noqa: SIM115 - the caller closes it
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "not a file", str(file))
    return stream


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_header(
    stream: IO[bytes], file: Path, size: int, longest: int = LONGEST_HEADER
) -> tuple[dict[str, TensorInfo], dict[str, str]]:
    """Tensors and metadata of a file of `size` bytes; `stream` goes from its first byte to behind the header.

    Raises:
        ValueError: a byte of the header is not as the format wants it; the text says which.
    """
    prefix = stream.read(8)
    if len(prefix) < 8:
        raise ValueError("the file is too short for a safetensors file")
    length = int(struct.unpack("<Q", prefix)[0])
    if length > longest:
        raise ValueError(f"its header claims {length:,} bytes where {longest:,} are allowed")
    if 8 + length > size:
        raise ValueError("the file ends inside its header")
    text = stream.read(length)
    header = strict_json(text)
    if not text.startswith(b"{") or not isinstance(header, dict):
        raise ValueError("the header is no JSON object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("the metadata is no table of texts")
    tensors = {name: _tensor(file, name, value, 8 + length) for name, value in header.items()}
    expected = 8 + length
    for info in sorted(tensors.values(), key=lambda info: (info.start, info.end)):
        if info.start != expected:
            raise ValueError(f"tensor {info.name!r:.200} overlaps another or leaves a hole")
        expected = info.end
    if expected != size:
        raise ValueError(f"the tensors need {expected:,} bytes but the file has {size:,}")
    return tensors, metadata


def _tensor(file: Path, name: str, value: Any, origin: int) -> TensorInfo:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name!r:.200} is not described by dtype, shape and data_offsets alone")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in WIDTHS:
        raise ValueError(f"tensor {name!r:.200} has an unknown dtype")
    for numbers in (shape, offsets):
        # isinstance would let True pass as 1
        if not isinstance(numbers, list) or not all(type(n) is int and n >= 0 for n in numbers):
            raise ValueError(f"shape and offsets of tensor {name!r:.200} are not whole numbers")
    bits = math.prod(shape) * WIDTHS[dtype] if len(shape) <= 16 else -1
    if len(offsets) != 2 or bits != 8 * (offsets[1] - offsets[0]):
        raise ValueError(f"the bytes of tensor {name!r:.200} do not fit its shape and dtype")
    return TensorInfo(file, name, dtype, tuple(shape), origin + offsets[0], origin + offsets[1])


def pieces(info: TensorInfo, start: int, end: int, size: int) -> Iterator[bytearray]:
    """Bytes `[start, end)` of the tensor's own, `size` at a time.

    Raises:
        OSError: the file can't be read, or has become shorter.
    """
    with opened(info.file) as stream:
        stream.seek(info.start + start)
        while start < end:
            piece = bytearray(min(size, end - start))
            if stream.readinto(piece) < len(piece):
                raise OSError(0, "the file became shorter while it was read")
            yield piece
            start += len(piece)


def blocks(info: TensorInfo, first: int, last: int) -> Iterator[tuple[int, Bits]]:
    """Flat rows `[first, last)` of a tensor: `(number of the first one, bits [n, shape[-1]])`, writable."""
    dtype, width = BITS[info.dtype], info.shape[-1]
    row = width * dtype.itemsize
    at = first
    for piece in pieces(info, first * row, last * row, max(1, BLOCK_BYTES // row) * row):
        block: Bits = np.frombuffer(piece, dtype).reshape(-1, width)
        yield at, block
        at += len(block)
