"""A checkpoint folder without torch: where each tensor is, chosen rows of it, digests.

A neuron is a row of W_out. A file stores it as a row (`orientation="rows"`, `[d_mlp, d_model]`) or, like
every `Linear.weight`, as a column (`"columns"`, `[d_model, d_mlp]`); fused experts add a first axis.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from editkit.checkpoint.strict import strict_json
from editkit.checkpoint.tensorfile import (
    BITS,
    BLOCK_BYTES,
    LONGEST_HEADER,
    Bits,
    TensorInfo,
    blocks,
    opened,
    pieces,
    read_header,
)
from editkit.errors import ModelError

Orientation = Literal["rows", "columns"]


@dataclass(frozen=True)
class Rows:
    """The bits `[k, d_model]` of chosen neurons of one tensor."""

    neurons: NDArray[np.int64]
    bits: Bits
    orientation: Orientation
    expert: int | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A folder with `config.json` and one or several safetensors files."""

    folder: Path
    tensors: Mapping[str, TensorInfo]

    @classmethod
    def open(cls, folder: Path) -> Checkpoint:
        """Read the headers, no weights.

        Raises:
            ModelError: no safetensors file there, or a damaged one.
        """
        single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
        with _reading(folder):
            if single.is_file():
                return cls(folder, _file_tensors(single))
            if index.is_file():
                return cls(folder, _sharded_tensors(index))
            if not folder.is_dir():
                raise ModelError(f"{folder}: no such folder")
            pickles = sorted(path.name for path in folder.glob("*.bin"))
        if pickles:
            raise ModelError(
                f"{folder}: the weights are pickles ({pickles[0]}), which can run code when opened: where "
                "you trust it, load it with transformers and save_pretrained(folder, safe_serialization=True)"
            )
        raise ModelError(f"{folder}: neither model.safetensors nor model.safetensors.index.json is there")

    @cached_property
    def config_digest(self) -> str:
        """SHA-256 of the bytes of `config.json`; ModelError where there is none."""
        with _reading(self.folder / "config.json"), opened(self.folder / "config.json") as stream:
            return file_digest(stream, "sha256").hexdigest()

    @cached_property
    def identity(self) -> str:
        """Names a base without a public name: a digest of its config and of its tensors' names and shapes."""
        table = [[name, info.dtype, info.shape] for name, info in sorted(self.tensors.items())]
        return sha256(json.dumps([self.config_digest, table], separators=(",", ":")).encode()).hexdigest()

    def tensor(self, name: str) -> TensorInfo:
        """Where a tensor is; ModelError where the checkpoint has none of that name."""
        if name not in self.tensors:
            raise ModelError(f"{self.folder}: the checkpoint has no tensor {name!r}")
        return self.tensors[name]

    def read_rows(
        self,
        name: str,
        neurons: NDArray[np.int64],
        orientation: Orientation,
        expert: int | None = None,
        *,
        limit: int | None = None,
    ) -> Bits:
        """The bits `[k, d_model]` of these neurons, in their order; memory stays flat.

        Args:
            limit: read no more than so many values of each neuron: `[k, limit]`.

        Raises:
            ModelError: no such tensor, expert or neuron, or a dtype that can't be edited.
        """
        info = self.tensor(name)
        first, _, shape = _view(info, neurons, orientation, expert)
        n_values = shape[1] if limit is None else min(limit, shape[1])
        rows: Bits = np.empty((shape[0], n_values), BITS[info.dtype])
        with _reading(info.file):
            if orientation == "rows":
                for row, neuron in zip(rows, neurons.tolist(), strict=True):
                    row[:] = next(blocks(info, first + neuron, first + neuron + 1))[1][0, :n_values]
            else:
                for at, block in blocks(info, first, first + n_values):
                    rows[:, at - first : at - first + len(block)] = block[:, neurons].T
        return rows

    def digest(self, name: str) -> str:
        """SHA-256 of one tensor's bytes, streamed."""
        info = self.tensor(name)
        digest = sha256()
        with _reading(info.file):
            for piece in pieces(info, 0, info.end - info.start, BLOCK_BYTES):
                digest.update(piece)
        return digest.hexdigest()

    def with_rows(
        self, name: str, *replaced: Rows, within: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, Bits]]:
        """One tensor's blocks as if these rows stood in it, the last ones on top.

        Args:
            within: flat rows `[first, last)` to stay within; all by default.

        Yields:
            `(number of the block's first flat row, bits [n, shape[-1]])`.

        Raises:
            ModelError: no such tensor, expert or neuron, or rows of another length or dtype.
        """
        info = self.tensor(name)
        places = [_view(info, r.neurons, r.orientation, r.expert) for r in replaced]
        for rows, (_, _, shape) in zip(replaced, places, strict=True):
            if rows.bits.shape != shape or rows.bits.dtype != BITS[info.dtype]:
                raise ModelError(f"{info.file.name}: tensor {name!r} has rows of another length or dtype")
        with _reading(info.file):
            for at, block in blocks(info, *(within or (0, math.prod(info.shape[:-1])))):
                for rows, (first, height, _) in zip(replaced, places, strict=True):
                    _overwrite(block, at - first, height, rows)
                yield at, block

    def digest_with_rows(self, name: str, *replaced: Rows) -> str:
        """SHA-256 of one tensor's bytes as if these rows stood in it: of the edited tensor, or of its base.

        Raises:
            ModelError: no such tensor, expert or neuron, or rows of another length or dtype.
        """
        if not replaced:
            return self.digest(name)
        digest = sha256()
        for _, block in self.with_rows(name, *replaced):
            digest.update(block.data)
        return digest.hexdigest()


def _view(
    info: TensorInfo, neurons: NDArray[np.int64], orientation: Orientation, expert: int | None
) -> tuple[int, int, tuple[int, int]]:
    """First flat row and number of flat rows of the (expert's) matrix, and the shape of the neurons' rows."""
    where = f"{info.file.name}: tensor {info.name!r}"
    if info.dtype not in BITS:
        raise ModelError(f"{where} is stored as {info.dtype}; editkit edits {', '.join(BITS)}")
    if len(info.shape) != (2 if expert is None else 3) or 0 in info.shape:
        raise ModelError(f"{where} has the shape {list(info.shape)}, which is no W_out")
    if expert is not None and not 0 <= expert < info.shape[0]:
        raise ModelError(f"{where} has no expert {expert}")
    height, width = info.shape[-2:]
    d_mlp, d_model = (height, width) if orientation == "rows" else (width, height)
    if neurons.size and not (neurons.min() >= 0 and neurons.max() < d_mlp):
        raise ModelError(f"{where} has the neurons 0 to {d_mlp - 1} only")
    return (expert or 0) * height, height, (len(neurons), d_model)


def _overwrite(block: Bits, offset: int, height: int, rows: Rows) -> None:
    """Put `rows` into a block whose first row is row `offset` of their matrix (negative: before it)."""
    if rows.orientation == "rows":
        inside = (rows.neurons >= offset) & (rows.neurons < offset + len(block))
        block[rows.neurons[inside] - offset] = rows.bits[inside]
        return
    low, high = max(offset, 0), min(offset + len(block), height)
    if low < high:
        block[low - offset : high - offset, rows.neurons] = rows.bits[:, low:high].T


def _file_tensors(file: Path) -> dict[str, TensorInfo]:
    with opened(file) as stream:
        try:
            return read_header(stream, file, file.stat().st_size)[0]
        except ValueError as error:
            raise ModelError(f"{file}: {error}") from error


def _sharded_tensors(index: Path) -> dict[str, TensorInfo]:
    try:
        if index.stat().st_size > LONGEST_HEADER:
            raise ModelError(f"{index}: too long for an index")
        table = strict_json(index.read_bytes())
    except ValueError as error:
        raise ModelError(f"{index}: {error}") from error
    places = table.get("weight_map") if isinstance(table, dict) else None
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise ModelError(f"{index}: no weight_map from tensors to files there")
    shards: dict[str, dict[str, TensorInfo]] = {}
    for name in sorted(set(places.values())):
        plain = name == Path(name).name and "\\" not in name and name.isprintable() and len(name) < 256
        if not plain:
            raise ModelError(f"{index}: {name!r:.200} is no plain file name")
        shards[name] = _file_tensors(index.parent / name)
    for tensor, name in places.items():
        if tensor not in shards[name]:
            raise ModelError(
                f"{index}: tensor {tensor!r:.200} is not in {name:.200}, where the index says it is"
            )
    return {tensor: shards[name][tensor] for tensor, name in places.items()}


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelError(f"{error.filename or path}: can't be read ({error.strerror})") from error
