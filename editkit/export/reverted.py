"""A merged folder back to its base: the original rows, every file byte by byte what it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from editkit.atomic import new_folder
from editkit.checkpoint import Bits, Checkpoint, Rows
from editkit.errors import PatchError
from editkit.events import Tell, nobody
from editkit.export.copying import clones, copied
from editkit.export.earlier import Earlier, read_earlier
from editkit.export.exported import describe, size_of
from editkit.export.listing import apart, listing
from editkit.export.rewriting import Rewritten, Wanted, rewrite
from editkit.patch.file import Patch
from editkit.patch.format import Base, Entry
from editkit.patch.manifest import MANIFEST, replaceable
from editkit.patch.verify import check_layout


@dataclass(frozen=True)
class Reverted:
    """A checkpoint folder without the patches that were taken out.

    Attributes:
        patches: SHA-256 of those, in the order they were taken out.
        kept: of those that are still in it.
        n_bytes: of all its files.
    """

    folder: Path
    patches: tuple[str, ...]
    kept: tuple[str, ...]
    n_files: int
    n_bytes: int
    notes: tuple[str, ...]


def export_reverted(
    folder: Path,
    place: Path,
    patch: Patch | None = None,
    *,
    replace: bool = False,
    digests: bool = True,
    tell: Tell = nobody,
) -> Reverted:
    """Write a merged folder's base: the last patch is taken out first, and with all of them `editkit.json`.

    Args:
        folder: a merged folder, or with `patch` any checkpoint in which its edited rows stand.
        patch: take out this one alone.
        replace, digests: as of `export_merged`; digests only where patches stay in the folder.

    Raises:
        PatchError: the patches do not stand in the folder, or a later one is on top.
        ModelError: the folder can't be read, or changed meanwhile.
        OutputError: the place can't be written, or is the folder's.
    """
    apart(folder, place)
    earlier = _earlier(folder, patch)
    checkpoint = Checkpoint.open(folder)
    undone, kept = _order(earlier, patch)
    _look(undone, checkpoint)
    listed, changes = listing(checkpoint), _changes(undone)
    room = 0 if clones(next(iter(listed.files.values())), place) else listed.n_bytes
    with new_folder(place, room, replace=replaceable(place, replace)) as made:
        left = (
            {name: digest for name, digest in earlier.manifest.patches if digest in kept} if earlier else {}
        )
        done = rewrite(
            checkpoint,
            listed,
            made,
            changes,
            {name: Wanted(tensor, rows) for name, tensor, rows in _wanted(earlier, kept, changes)},
            digests=digests and bool(left),
            tell=tell,
        )
        strange = _strange(undone, done)
        if strange and earlier and (patch is None or patch in earlier.patches):
            raise PatchError(f"{folder}: tensor {strange[0]!r} was changed by something else too")
        for name in left:
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            copied(folder / name, made / name)
        if earlier and left:
            describe(made, "merged", _base(earlier, kept), tuple(left.items()), done.files, tell)
        n_files, n_bytes = size_of(made)
    notes = [f"tensor {name!r} is not the base's: something else changed it too" for name in strange]
    taken = tuple(one.digest for one in undone)
    return Reverted(place, taken, tuple(kept), n_files, n_bytes, (*listed.notes, *notes))


def _earlier(folder: Path, patch: Patch | None) -> Earlier | None:
    try:
        return read_earlier(folder)
    except PatchError:
        if patch is not None:
            return None
        if (folder / MANIFEST).is_file() or not folder.is_dir():
            raise
        raise PatchError(
            f"{folder}: no folder that editkit wrote (it has no {MANIFEST}): give the patch that is in it"
        ) from None


def _order(earlier: Earlier | None, patch: Patch | None) -> tuple[tuple[Patch, ...], list[str]]:
    """The patches to take out, last one first, and the digests of those that stay."""
    patches = earlier.patches if earlier else ()
    if patch is None:
        return tuple(reversed(patches)), []
    return (patch,), [one.digest for one in patches if one != patch]


def _base(earlier: Earlier, kept: list[str]) -> Base:
    """What the patches that stay were made on: the folder's base may be known to a patch that goes alone."""
    bases = [one.base for one in earlier.patches if one.digest in kept]
    return earlier.manifest.base if earlier.manifest.base in bases else bases[0]


def _look(undone: Iterable[Patch], checkpoint: Checkpoint) -> None:
    """Whether what each patch wrote is there when its turn comes."""
    back: dict[tuple[str, int | None, int], Bits] = {}
    for patch in undone:
        for entry in patch.entries:
            check_layout(entry, checkpoint)
            rows = checkpoint.read_rows(entry.tensor, entry.neurons, entry.orientation, entry.slab)
            for at, neuron in enumerate(entry.neurons.tolist()):
                key = (entry.tensor, entry.slab, neuron)
                if back.get(key, rows[at]).tobytes() != entry.edited[at].tobytes():
                    raise PatchError(_why(entry, rows, checkpoint))
                back[key] = entry.original[at]


def _why(entry: Entry, rows: Bits, checkpoint: Checkpoint) -> str:
    where = f"{checkpoint.folder}: tensor {entry.tensor!r}"
    if rows.tobytes() == entry.original.tobytes():
        return f"{where} does not have the patch in it, so there is nothing to take out"
    return f"{where} does not hold the rows that the patch wrote: another model, or a later patch is on top"


def _changes(undone: Iterable[Patch]) -> dict[str, tuple[Rows, ...]]:
    changes: dict[str, tuple[Rows, ...]] = {}
    for patch in undone:
        for entry in patch.entries:
            changes[entry.tensor] = (*changes.get(entry.tensor, ()), entry.rows("original"))
    return changes


def _wanted(
    earlier: Earlier | None, kept: list[str], changes: dict[str, tuple[Rows, ...]]
) -> Iterable[tuple[str, str, tuple[Rows, ...]]]:
    """The digests of the tensors as they will be, also without the patches that stay."""
    stay = [one for one in earlier.patches if one.digest in kept] if earlier else []
    for tensor, rows in changes.items():
        yield tensor, tensor, rows
        others = [e.rows("original") for one in reversed(stay) for e in one.entries if e.tensor == tensor]
        if others:
            yield f"{tensor} alone", tensor, (*rows, *others)


def _strange(undone: Iterable[Patch], done: Rewritten) -> list[str]:
    """The tensors that are not what the first of their patches was made on."""
    first = {entry.tensor: entry.base_digest for patch in undone for entry in patch.entries}
    return [
        tensor
        for tensor, digest in first.items()
        if digest not in (done.tensors[tensor], done.tensors.get(f"{tensor} alone"))
    ]
