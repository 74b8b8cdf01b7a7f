"""A patch and its base as one checkpoint, streamed: no torch model is built, memory stays flat."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from editkit.atomic import new_folder
from editkit.checkpoint import Checkpoint, Rows
from editkit.errors import PatchError
from editkit.events import Tell, nobody
from editkit.export.copying import clones, copied
from editkit.export.earlier import Earlier, carried, free_name
from editkit.export.exported import Exported, seal, size_of
from editkit.export.listing import apart, listing
from editkit.export.rewriting import Rewritten, Wanted, rewrite
from editkit.patch.file import Patch
from editkit.patch.format import Entry
from editkit.patch.manifest import replaceable
from editkit.patch.verify import check_digest, check_layout

SAMPLE_VALUES: Final = 64


def export_merged(
    patch: Patch,
    checkpoint: Checkpoint,
    place: Path,
    *,
    replace: bool = False,
    digests: bool = True,
    name: str = "edit",
    tell: Tell = nobody,
) -> Exported:
    """Write a checkpoint folder with the patch in it, and all that belongs to the base beside it.

    The base may be a merged folder itself: its patches are carried on then, and can be reverted.

    Args:
        replace: what editkit wrote there before goes when the new folder is complete.
        digests: put the SHA-256 of large files into `editkit.json` too. The tensors that change are compared
            with their digests in any case.
        name: of the patch in the folder, which is `editkit/NAME.editkit.safetensors`.

    Raises:
        PatchError: the base is not the one the patch was made on, or is patched already.
        ModelError: the base can't be read, or changed meanwhile.
        OutputError: the place can't be written, or is the base's.
    """
    apart(checkpoint.folder, place)
    for entry in patch.entries:
        _look(entry, checkpoint)
    listed, (earlier, lost) = listing(checkpoint), carried(checkpoint)
    patch_file = free_name(name, (*listed.files, *(earlier.names if earlier else ())))
    changes = {tensor: _rows(patch, tensor) for tensor in _tensors(patch)}
    largest = next(iter(listed.files.values()))
    room = 0 if clones(largest, place) else listed.n_bytes
    with new_folder(place, room, replace=replaceable(place, replace)) as folder:
        made = rewrite(
            checkpoint, listed, folder, changes, _wanted(patch, earlier), digests=digests, tell=tell
        )
        _check(patch, checkpoint, made)
        for kept in earlier.names if earlier else ():
            (folder / kept).parent.mkdir(parents=True, exist_ok=True)
            copied(checkpoint.folder / kept, folder / kept)
        before = earlier.manifest if earlier else None
        manifest = seal(folder, "merged", patch, patch_file, made.files, tell, earlier=before)
        n_files, n_bytes = size_of(folder)
    notes = (*listed.notes, *([lost] if lost else []))
    return Exported(place, manifest.kind, n_files, n_bytes, notes)


def _tensors(patch: Patch) -> Iterable[str]:
    return dict.fromkeys(entry.tensor for entry in patch.entries)


def _rows(patch: Patch, tensor: str) -> tuple[Rows, ...]:
    return tuple(entry.rows("edited") for entry in patch.entries if entry.tensor == tensor)


def _look(entry: Entry, checkpoint: Checkpoint) -> None:
    """Before the long work: a first part of the rows. The whole tensor is compared on the way.

    Raises:
        PatchError: the base is not the one the patch was made on, or is patched already.
    """
    check_layout(entry, checkpoint)
    rows = entry.neurons, entry.orientation, entry.slab
    bits = checkpoint.read_rows(entry.tensor, *rows, limit=SAMPLE_VALUES)
    n = bits.shape[1]
    if not np.array_equal(bits, entry.original[:, :n]):
        stands = np.array_equal(bits, entry.edited[:, :n])
        check_digest(entry, checkpoint, entry.edited_digest if stands else "")


def _wanted(patch: Patch, earlier: Earlier | None) -> dict[str, Wanted]:
    """The digests of the changed tensors before and after, also without what earlier patches did to them."""
    wanted = {}
    for tensor in _tensors(patch):
        rows, undo = _rows(patch, tensor), earlier.undo(tensor) if earlier else ()
        wanted[f"{tensor} before"] = Wanted(tensor)
        wanted[f"{tensor} after"] = Wanted(tensor, rows)
        if undo:
            wanted[f"{tensor} without before"] = Wanted(tensor, undo)
            wanted[f"{tensor} without after"] = Wanted(tensor, (*undo, *rows))
    return wanted


def _check(patch: Patch, checkpoint: Checkpoint, made: Rewritten) -> None:
    for entry in patch.entries:
        # A patch made before an earlier one was written fits a tensor that this is looked at without.
        alone = made.tensors.get(f"{entry.tensor} without before") == entry.base_digest
        without = " without" if alone else ""
        check_digest(entry, checkpoint, made.tensors[f"{entry.tensor}{without} before"])
        if made.tensors[f"{entry.tensor}{without} after"] != entry.edited_digest:
            raise PatchError(
                f"tensor {entry.tensor!r} with the patch in it is not what the patch says it becomes: the "
                "patch was changed by hand"
            )
