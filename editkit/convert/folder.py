"""A folder of safetensors shards, written tensor by tensor."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import torch
from torch import Tensor

from editkit.errors import ModelError
from editkit.events import Tell, nobody, stage

SHARD_BYTES: Final = 5_000_000_000
DTYPES: Final = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
CODES: Final = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32"}


@dataclass(frozen=True)
class Planned:
    """A tensor to be written: its shape is known, its values are read when its turn comes.

    Attributes:
        part: whose it is, for the progress bar.
    """

    part: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    read: Callable[[], Tensor]

    @property
    def n_bytes(self) -> int:
        return torch.Size(self.shape).numel() * self.dtype.itemsize


def write_tensors(
    folder: Path, planned: Mapping[str, Planned], tell: Tell = nobody, limit: int = SHARD_BYTES
) -> None:
    """Write `model.safetensors`, or shards of at most `limit` bytes with an index; one tensor is in memory.

    Raises:
        ModelError: a value does not fit its dtype.
    """
    shards = _shards(planned, limit)
    names = [
        "model.safetensors" if len(shards) == 1 else f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        for number in range(1, len(shards) + 1)
    ]
    with stage(tell, "convert", len(planned)) as advance:
        for name, shard in zip(names, shards, strict=True):
            with (folder / name).open("wb") as stream:
                stream.write(_header({tensor: planned[tensor] for tensor in shard}))
                for tensor in shard:
                    _write(stream, tensor, planned[tensor])
                    advance(note=planned[tensor].part)
    if len(shards) > 1:
        where = {tensor: name for name, shard in zip(names, shards, strict=True) for tensor in sorted(shard)}
        total = sum(one.n_bytes for one in planned.values())
        index = {"metadata": {"total_size": total}, "weight_map": where}
        write_json(folder / "model.safetensors.index.json", index)


def write_json(file: Path, document: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _shards(planned: Mapping[str, Planned], limit: int) -> list[list[str]]:
    shards: list[list[str]] = [[]]
    filled = 0
    for name, one in planned.items():
        if shards[-1] and filled + one.n_bytes > limit:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += one.n_bytes
    # Widest first, so that every tensor begins where its dtype may: sorted() keeps the order otherwise.
    return [sorted(shard, key=lambda name: -planned[name].dtype.itemsize) for shard in shards]


def _header(shard: Mapping[str, Planned]) -> bytes:
    table: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, one in shard.items():
        offsets = [at, at + one.n_bytes]
        table[name] = {"dtype": CODES[one.dtype], "shape": one.shape, "data_offsets": offsets}
        at += one.n_bytes
    text = json.dumps(table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _write(stream: IO[bytes], name: str, one: Planned) -> None:
    found = one.read().detach()
    if found.dtype != one.dtype and found.numel():
        # The extremes tell of all: they become infinite first, and are no numbers where any value is none.
        extremes = torch.stack(torch.aminmax(found)).to(one.dtype)
        if not torch.isfinite(extremes).all():
            raise ModelError(f"{name} holds values that {one.dtype} has no number for: try --dtype bfloat16")
    value = found.to(one.dtype).contiguous()
    stream.write(value.reshape(-1).view(torch.uint8).numpy().data)
