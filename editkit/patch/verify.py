"""Is this the checkpoint the patch was made on?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from editkit.checkpoint import Checkpoint
from editkit.errors import PatchError
from editkit.patch.file import Patch
from editkit.patch.format import Entry


def verify(patch: Patch, checkpoint: Checkpoint, applied: Sequence[Patch] = ()) -> None:
    """Compare every tensor the patch changes with what it was, byte for byte.

    Args:
        applied: patches known to be written into the checkpoint already; their rows are looked at as if they
            were undone, last one first.

    Raises:
        PatchError: names the first tensor that differs, or says that the patch is in it already.
    """
    seen: set[str] = set()
    for entry in patch.entries:
        if entry.tensor not in seen:
            seen.add(entry.tensor)
            _verify_tensor(entry, checkpoint, applied)


def _verify_tensor(entry: Entry, checkpoint: Checkpoint, applied: Sequence[Patch]) -> None:
    check_layout(entry, checkpoint)
    others = chain.from_iterable(other.entries for other in reversed(applied))
    undone = [other.rows("original") for other in others if other.tensor == entry.tensor]
    check_digest(entry, checkpoint, checkpoint.digest_with_rows(entry.tensor, *undone))


def check_layout(entry: Entry, checkpoint: Checkpoint) -> None:
    """Whether a checkpoint has such a tensor; no weights are read.

    Raises:
        PatchError: it has none of that name, dtype and shape.
    """
    info = checkpoint.tensors.get(entry.tensor)
    if info is None:
        raise PatchError(f"base differs: {checkpoint.folder} has no tensor {entry.tensor!r}")
    if (info.dtype, info.shape) != (entry.dtype, entry.shape):
        instead = f"{info.dtype} {list(info.shape)} instead of {entry.dtype} {list(entry.shape)}"
        raise PatchError(f"{_differs(entry)} ({instead})")


def check_digest(entry: Entry, checkpoint: Checkpoint, digest: str) -> None:
    """Whether a tensor of this digest is the one the patch was made on.

    Raises:
        PatchError: it is not, or it is the one that the patch made.
    """
    if digest == entry.base_digest:
        return
    if digest == entry.edited_digest:
        raise PatchError(f"already patched: tensor {entry.tensor!r} of {checkpoint.folder} is edited")
    raise PatchError(_differs(entry))


def _differs(entry: Entry) -> str:
    return f"base differs: tensor {entry.tensor!r} is not the one the patch was made on"
