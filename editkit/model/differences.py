"""Two checkpoints side by side: which tensors differ, and which neurons of a W_out, and how far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from editkit.checkpoint import BITS, Checkpoint, Orientation, TensorInfo
from editkit.checkpoint.difference import compared
from editkit.checkpoint.strict import strict_json
from editkit.checkpoint.tensorfile import blocks
from editkit.errors import ModelError
from editkit.events import Tell, nobody, stage
from editkit.model.files import locate_files, named
from editkit.neuron import MatrixKey, Neuron, in_order
from editkit.patch.rows import widen
from editkit.recipe import ModelRef

if TYPE_CHECKING:
    from editkit.model.outline import Outline

# What saving a model writes anew, and no edit is.
SAVED: Final = {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version"}


@dataclass(frozen=True)
class Side:
    """One of the two checkpoints."""

    ref: ModelRef
    revision: str | None
    checkpoint: Checkpoint

    @classmethod
    def open(cls, model: str | Path | ModelRef) -> Side:
        """Read the headers; a Hub model is downloaded where it is not here yet.

        Raises:
            ModelError: there is no such model, or it has no safetensors files.
        """
        ref = model if isinstance(model, ModelRef) else named(str(model))
        folder, revision = locate_files(ref)
        return cls(ref, revision, Checkpoint.open(folder))


@dataclass(frozen=True)
class Differences:
    """Which tensors of two checkpoints differ; their bytes were compared where dtype and shape are the same.

    Attributes:
        missing, added: tensors that only the first, or only the second has.
        reshaped: in both, with another dtype or shape.
        changed: in both alike, with other bytes.
        config: keys of `config.json` that differ, but for those that saving writes anew.
        n_tensors: how many both have alike.
    """

    missing: tuple[str, ...]
    added: tuple[str, ...]
    reshaped: tuple[str, ...]
    changed: tuple[str, ...]
    config: tuple[str, ...]
    n_tensors: int

    @property
    def any(self) -> bool:
        return any((self.missing, self.added, self.reshaped, self.changed, self.config))


@dataclass(frozen=True)
class Matrix:
    """One W_out in the files: module of the running model, and the tensor; `slab` where that is fused."""

    key: MatrixKey
    module: str
    tensor: str
    orientation: Orientation
    slab: int | None


def differences(one: Checkpoint, other: Checkpoint, tell: Tell = nobody) -> Differences:
    """Compare every tensor, streamed: memory stays flat, and torch is not needed.

    Raises:
        ModelError: a file can't be read.
    """
    both = one.tensors.keys() & other.tensors.keys()
    alike = {name for name in both if _kind(one.tensors[name]) == _kind(other.tensors[name])}
    with stage(tell, "compare the tensors", len(alike)) as advance:
        changed = []
        for name, same in compared(one, other, alike):
            advance()
            if not same:
                changed.append(name)
    return Differences(
        tuple(sorted(one.tensors.keys() - both)),
        tuple(sorted(other.tensors.keys() - both)),
        tuple(sorted(both - alike)),
        tuple(sorted(changed)),
        _config(one, other),
        len(alike),
    )


def _kind(info: TensorInfo) -> tuple[str, tuple[int, ...]]:
    return info.dtype, info.shape


def _config(one: Checkpoint, other: Checkpoint) -> tuple[str, ...]:
    if one.config_digest == other.config_digest:
        return ()
    try:
        first, second = (strict_json((side.folder / "config.json").read_bytes()) for side in (one, other))
    except (OSError, ValueError):
        return ("config.json",)
    if not isinstance(first, dict) or not isinstance(second, dict):
        return ("config.json",)
    return tuple(
        sorted(
            key
            for key in first.keys() | second.keys()
            if key not in SAVED and first.get(key) != second.get(key)
        )
    )


def matrices(lines: Outline, tensors: Sequence[str]) -> dict[str, list[Matrix]]:
    """Which W_out stand in these tensors; a tensor without one is left out.

    Raises:
        ModelError: a W_out that no tensor of the files can be told to be.
    """
    found: dict[str, list[Matrix]] = {}
    for place in lines.editable.w_outs:
        at = lines.places[place.key]
        if at.tensor in tensors:
            slab = place.expert if at.fused else None
            found.setdefault(at.tensor, []).append(
                Matrix(place.key, place.name, at.tensor, at.orientation, slab)
            )
    return found


@dataclass(frozen=True)
class Moved:
    """A neuron whose row differs.

    Attributes:
        length: of the change, L2; not a number where a row holds infinity or NaN.
        ratio: of that to the length of the row before; None where the row was zero.
    """

    neuron: Neuron
    tensor: str
    length: float
    ratio: float | None


def moved_neurons(
    one: Checkpoint, other: Checkpoint, where: Mapping[str, Sequence[Matrix]], tell: Tell = nobody
) -> tuple[Moved, ...]:
    """The neurons that differ in these tensors, by layer, expert and index; streamed, in float64.

    Args:
        where: tensor that both have alike -> the W_outs in it; one of a dtype that can't be edited is passed
            over.

    Raises:
        ModelError: a file can't be read.
    """
    found: list[Moved] = []
    with stage(tell, "compare the rows", len(where)) as advance:
        for name, places in where.items():
            for place in places if one.tensor(name).dtype in BITS else ():
                found += _moved(one, other, place)
            advance()
    return tuple(sorted(found, key=lambda moved: (in_order(moved.neuron.matrix), moved.neuron.index)))


def _moved(one: Checkpoint, other: Checkpoint, place: Matrix) -> list[Moved]:
    first, second = one.tensor(place.tensor), other.tensor(place.tensor)
    height, width = first.shape[-2:]
    start, by_row = (place.slab or 0) * height, place.orientation == "rows"
    n = height if by_row else width
    differs, change, before = np.zeros(n, bool), np.zeros(n), np.zeros(n)
    try:
        pairs = zip(blocks(first, start, start + height), blocks(second, start, start + height), strict=True)
        for (at, block), (_, changed) in pairs:
            own = slice(at - start, at - start + len(block)) if by_row else slice(None)
            axis = 1 if by_row else 0
            differs[own] |= (block != changed).any(axis=axis)
            old, new = (widen(bits, first.dtype).astype(np.float64) for bits in (block, changed))
            with np.errstate(all="ignore"):
                change[own] += ((new - old) ** 2).sum(axis=axis)
                before[own] += (old**2).sum(axis=axis)
    except OSError as error:
        raise ModelError(f"{error.filename or first.file}: can't be read ({error.strerror})") from error
    lengths, norms = np.sqrt(change), np.sqrt(before)
    layer, expert = place.key
    return [
        Moved(
            Neuron(layer, index, expert),
            place.tensor,
            float(lengths[index]),
            float(lengths[index] / norms[index]) if norms[index] else None,
        )
        for index in np.flatnonzero(differs).tolist()
    ]
