"""Does one file, or one tensor, fit what is said of it? A sentence where it does not, None where it does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from editkit.checkpoint import Checkpoint, Rows
from editkit.checkpoint.difference import same_bytes
from editkit.errors import EditkitError
from editkit.patch.file import Patch
from editkit.patch.format import Entry
from editkit.patch.manifest import MANIFEST, digest_of


def tensors_of(patches: Sequence[Patch]) -> list[str]:
    return list(dict.fromkeys(entry.tensor for patch in patches for entry in patch.entries))


def fits_digest(name: str, path: Path, digest: str) -> str | None:
    """A file, and the digest it should have."""
    try:
        same = digest_of(path) == digest
    except OSError as error:
        return f"{name}: can't be read ({error.strerror})"
    return None if same else f"{name}: its SHA-256 is not the one in {MANIFEST}"


def fits_original(name: str, path: Path, base: Checkpoint, patches: Sequence[Patch]) -> str | None:
    """A file, and the base's of that name, but for the tensors that are edited in it."""
    original = base.folder / name
    edited = [base.tensors[tensor] for tensor in tensors_of(patches) if tensor in base.tensors]
    own = sorted((info.start, info.end) for info in edited if info.file == original)
    try:
        size = path.stat().st_size
        starts, ends = [0, *(end for _, end in own)], [*(start for start, _ in own), size]
        spans = [(start, start, end - start) for start, end in zip(starts, ends, strict=True)]
        same = original.stat().st_size == size and same_bytes(path, original, spans)
    except OSError as error:
        return f"{name}: can't be compared with the base's ({error.strerror})"
    return None if same else f"{name}: is not the base's"


def fits_edited(merged: Checkpoint, tensor: str, patches: Sequence[Patch]) -> str | None:
    """A tensor of a merged folder, and the patches in it: as it is, and as each leaves it when taken out."""
    taken: list[Rows] = []
    own = [entries for patch in patches if (entries := _entries(patch, tensor))]
    try:
        for at, entries in reversed(list(enumerate(own))):
            # Made on a checkpoint that had the ones before it, or on the base without them.
            others = [row for some in reversed(own[:at]) for row in _rows(some, "original")]
            for under in _either(others):
                if merged.digest_with_rows(tensor, *taken, *under) == entries[0].edited_digest:
                    break
            else:
                return f"tensor {tensor!r}: is not what the patch makes of it"
            before = _rows(entries, "original")
            if merged.digest_with_rows(tensor, *taken, *under, *before) != entries[0].base_digest:
                return f"tensor {tensor!r}: the patch does not lead back to what it was made on"
            taken += before
    except EditkitError as error:
        return str(error)
    return None


def fits_base(base: Checkpoint, tensor: str, patches: Sequence[Patch]) -> str | None:
    """A tensor of the base, and the patches that were made on it, one after the other."""
    written: list[Rows] = []
    try:
        for entries in filter(None, (_entries(patch, tensor) for patch in patches)):
            for under in _either(written):
                if base.digest_with_rows(tensor, *under) == entries[0].base_digest:
                    break
            else:
                return f"base differs: tensor {tensor!r} of {base.folder} is not what the patch was made on"
            before, after = _rows(entries, "original"), _rows(entries, "edited")
            if base.digest_with_rows(tensor, *under, *before) != entries[0].base_digest:
                return f"tensor {tensor!r}: the patch's rows before are not the base's"
            if base.digest_with_rows(tensor, *under, *after) != entries[0].edited_digest:
                return f"tensor {tensor!r}: the patch's rows after do not give the digest it says"
            written += after
    except EditkitError as error:
        return str(error)
    return None


def _either(rows: list[Rows]) -> list[list[Rows]]:
    """Without them, then with them."""
    return [[], list(rows)] if rows else [[]]


def _entries(patch: Patch, tensor: str) -> list[Entry]:
    return [entry for entry in patch.entries if entry.tensor == tensor]


def _rows(entries: Sequence[Entry], which: Literal["original", "edited"]) -> list[Rows]:
    return [entry.rows(which) for entry in entries]
