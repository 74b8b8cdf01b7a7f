"""The patches that a merged folder carries already, when it is a base itself or is taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from editkit.checkpoint import Checkpoint, Rows
from editkit.errors import EditkitError, PatchError
from editkit.export.listing import OWN
from editkit.patch.file import Patch
from editkit.patch.format import SUFFIX, Entry
from editkit.patch.manifest import MANIFEST, Manifest


@dataclass(frozen=True)
class Earlier:
    """A merged folder's manifest, and its patches in the order they were applied."""

    manifest: Manifest
    patches: tuple[Patch, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.manifest.patches)

    def undo(self, tensor: str) -> tuple[Rows, ...]:
        """The rows that take a tensor back to what it was before all of them."""
        return tuple(entry.rows("original") for entry in _entries(reversed(self.patches), tensor))


def _entries(patches: Iterator[Patch], tensor: str) -> Iterator[Entry]:
    for patch in patches:
        yield from (entry for entry in patch.entries if entry.tensor == tensor)


def read_earlier(folder: Path) -> Earlier:
    """What `editkit.json` says of a merged folder, with the patches it names.

    Raises:
        PatchError: there is none, it is of another kind, or a patch in it is not the one it names.
    """
    manifest = Manifest.read(folder)
    if manifest.kind != "merged":
        raise PatchError(f"{folder / MANIFEST}: is of a {manifest.kind} folder, not of a merged checkpoint")
    patches = []
    for name, digest in manifest.patches:
        patch = Patch.load(folder / name)
        if patch.digest != digest:
            raise PatchError(f"{folder / name}: is not the patch that {MANIFEST} names")
        patches.append(patch)
    return Earlier(manifest, tuple(patches))


def carried(checkpoint: Checkpoint) -> tuple[Earlier | None, str | None]:
    """The earlier patches of a base, where it is a merged folder whose patches stand in it; else why not."""
    if not (checkpoint.folder / MANIFEST).is_file():
        return None, None
    try:
        found = read_earlier(checkpoint.folder)
    except EditkitError as error:
        return None, f"what the base was made from is not carried on: {error}"
    last: dict[tuple[str, int | None, int], bytes] = {}
    for patch in found.patches:
        for entry in patch.entries:
            for neuron, row in zip(entry.neurons.tolist(), entry.edited, strict=True):
                last[entry.tensor, entry.slab, neuron] = row.tobytes()
    if not all(name.startswith(f"{OWN}/") for name in found.names):
        return None, "what the base was made from is not carried on: its patches are at another place"
    if not _stand(checkpoint, found.patches, last):
        why = "what the base was made from is not carried on: its weights are not what its patches made"
        return None, why
    return found, None


def _stand(
    checkpoint: Checkpoint, patches: tuple[Patch, ...], last: dict[tuple[str, int | None, int], bytes]
) -> bool:
    for patch in patches:
        for entry in patch.entries:
            info = checkpoint.tensors.get(entry.tensor)
            if info is None or (info.dtype, info.shape) != (entry.dtype, entry.shape):
                return False
            rows = checkpoint.read_rows(entry.tensor, entry.neurons, entry.orientation, entry.slab)
            for neuron, row in zip(entry.neurons.tolist(), rows, strict=True):
                if last[entry.tensor, entry.slab, neuron] != row.tobytes():
                    return False
    return True


def free_name(name: str, taken: tuple[str, ...]) -> str:
    """Where a patch goes in a folder with the files `taken`: `editkit/NAME.editkit.safetensors`.

    Raises:
        PatchError: the name is no plain file name.
    """
    if not re.fullmatch(r"[^/\\\0]{1,100}", name) or name.startswith("."):
        raise PatchError(f"{name!r:.100}: no plain name for a patch")
    number, found = 1, f"{OWN}/{name}{SUFFIX}"
    while found in taken:
        number += 1
        found = f"{OWN}/{name}-{number}{SUFFIX}"
    return found
