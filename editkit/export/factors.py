"""The two factors of each changed matrix, and the file that holds them: equal patches, equal bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from editkit.export.targets import Target
from editkit.patch.format import Entry
from editkit.patch.rows import exact_delta, nearest, widen

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Missed:
    """Numbers that adding can't reach: how many of `total`; where it is furthest off, how far and why."""

    count: int = 0
    total: int = 0
    largest: float = 0.0
    module: str = ""
    why: str = ""


@dataclass(frozen=True)
class Factors:
    """What is added to one target: `[rank, d_mlp]` one-hot and `[d_model, rank]`, for each of its experts.

    Attributes:
        rank: rows for each expert; those beyond an expert's neurons are 0.
        deltas: float32 `[k, d_model]` of each entry.
    """

    target: Target
    rank: int
    deltas: tuple[Floats, ...]

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """The tensors by their name in the file."""
        d_mlp, d_model = self.target.entries[0].sides
        rows = self.target.experts * self.rank
        key = f"base_model.model.{self.target.module}.lora_{{}}.weight"
        return {key.format("A"): (rows, d_mlp), key.format("B"): (d_model, rows)}

    def arrays(self) -> Iterator[Floats]:
        """Their values; PEFT counts expert by expert in the first, and rank by rank in the second."""
        for name, shape in self.shapes.items():
            values: Floats = np.zeros(shape, "<f4")
            for entry, delta in zip(self.target.entries, self.deltas, strict=True):
                expert, order = entry.expert or 0, np.arange(len(entry.neurons))
                if name.endswith("A.weight"):
                    values[expert * self.rank + order, entry.neurons] = 1
                else:
                    values[:, order * self.target.experts + expert] = delta.T
            yield values


def factors(targets: Sequence[Target]) -> tuple[tuple[Factors, ...], Missed]:
    """Exact ones, wherever something can be added that gives the patch's rows.

    Parameters share one rank: PEFT 0.21 obeys a rank of their own but warns that it ignored it.
    """
    widest = max((_most(target) for target in targets if target.parameter), default=0)
    made, missed = [], Missed()
    for target in targets:
        deltas = []
        for entry in target.entries:
            kept = entry.dtype if target.parameter else "F32"
            deltas.append(exact_delta(entry.original, entry.edited, entry.dtype, kept))
            missed = _worse(missed, entry, deltas[-1], kept)
        made.append(Factors(target, widest if target.parameter else _most(target), tuple(deltas)))
    return tuple(made), missed


def _most(target: Target) -> int:
    return max(len(entry.neurons) for entry in target.entries)


def _worse(missed: Missed, entry: Entry, delta: Floats, kept: str) -> Missed:
    with np.errstate(all="ignore"):
        reached = widen(nearest(widen(entry.original, entry.dtype) + delta, entry.dtype), entry.dtype)
    wide = np.abs(reached.astype(np.float64) - widen(entry.edited, entry.dtype))
    count, total = missed.count + int(np.count_nonzero(wide)), missed.total + wide.size
    largest = float(wide.max())
    if largest <= missed.largest:
        return replace(missed, count=count, total=total)
    added = "no float32 number added to the base's gives them"
    why = added if kept == "F32" else f"PEFT rounds what it adds to a parameter to {kept}"
    return Missed(count, total, largest, entry.module, why)


def file_pieces(made: Sequence[Factors]) -> Iterator[bytes | memoryview]:
    """An `adapter_model.safetensors`, piece by piece."""
    table: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for one in made:
        for name, shape in one.shapes.items():
            table[name] = {
                "dtype": "F32",
                "shape": shape,
                "data_offsets": [at, at := at + 4 * shape[0] * shape[1]],
            }
    text = json.dumps(table, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    yield struct.pack("<Q", len(text)) + text
    for one in made:
        for values in one.arrays():
            yield values.data.cast("B")
