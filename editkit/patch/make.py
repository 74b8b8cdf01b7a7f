"""A delta becomes a patch: the rows as the checkpoint's files have them, before and after rounding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from editkit.checkpoint import Checkpoint, Orientation
from editkit.delta import Delta, LayerDelta
from editkit.errors import PatchError
from editkit.neuron import MatrixKey
from editkit.patch.file import Patch
from editkit.patch.format import Base, Entry, Provenance
from editkit.patch.rows import edited_rows, finite, widen


@dataclass(frozen=True)
class Place:
    """Where a W_out is: module of the running model, tensor of the files, how the files store a neuron.

    `fused` tells whether that tensor holds all experts of the layer.
    """

    module: str
    tensor: str
    orientation: Orientation
    fused: bool = False


def make_patch(
    delta: Delta,
    places: Mapping[MatrixKey, Place],
    checkpoint: Checkpoint,
    base: Base,
    provenance: Provenance,
) -> Patch:
    """The patch of a delta; rows that rounding leaves as they were stay out of it.

    Args:
        places: `(layer, expert)` -> place, for every part of the delta.

    Raises:
        PatchError: a part has no place or does not fit it, or the result does not fit the dtype.
        ModelError: the checkpoint lacks the tensor, or stores it in a dtype that can't be edited.
    """
    entries = []
    for part in delta.layers:
        if (part.layer, part.expert) not in places:
            raise PatchError(f"nobody said where layer {part.layer}, expert {part.expert} is in the files")
        entry = _entry(part, places[part.layer, part.expert], checkpoint)
        if entry is not None:
            entries.append(entry)
    tensors = {entry.tensor for entry in entries}
    before = {name: checkpoint.digest(name) for name in tensors}
    after = {
        name: checkpoint.digest_with_rows(name, *(e.rows("edited") for e in entries if e.tensor == name))
        for name in tensors
    }
    signed = [replace(e, base_digest=before[e.tensor], edited_digest=after[e.tensor]) for e in entries]
    return Patch(base, tuple(sorted(signed, key=lambda entry: entry.rank)), provenance)


def _entry(part: LayerDelta, place: Place, checkpoint: Checkpoint) -> Entry | None:
    """The entry without its digests, which want the tensor's other entries too; None where nothing moves."""
    info = checkpoint.tensor(place.tensor)
    neurons = np.array(part.neurons, np.int64)
    slab = part.expert if place.fused else None
    original = checkpoint.read_rows(place.tensor, neurons, place.orientation, slab)
    if original.shape != part.rows.shape:
        raise PatchError(
            f"tensor {place.tensor!r}: the delta's rows have {part.rows.shape[1]} values, the tensor's "
            f"{original.shape[1]}"
        )
    if not finite(original, info.dtype):
        raise PatchError(f"tensor {place.tensor!r}: the base itself holds NaN or infinity there")
    edited = edited_rows(original, part.rows, info.dtype)
    # Compared as numbers: adding nothing to -0 gives 0, and that is no change.
    moved = (widen(edited, info.dtype) != widen(original, info.dtype)).any(axis=1)
    if not moved.any():
        return None
    return Entry(
        kind="rows",
        module=place.module,
        tensor=place.tensor,
        layer=part.layer,
        expert=part.expert,
        orientation=place.orientation,
        shape=info.shape,
        base_digest="",
        edited_digest="",
        dtype=info.dtype,
        neurons=neurons[moved],
        original=original[moved],
        edited=edited[moved],
    )
