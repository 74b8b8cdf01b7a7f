"""A repository or folder with an edit in it: what kind it is, its patches and the base they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from editkit.checkpoint import Checkpoint
from editkit.errors import ModelError, PatchError
from editkit.model.files import EMBEDDED, pinned, unreachable
from editkit.model.refusals import http_error
from editkit.patch.file import Patch
from editkit.patch.format import SUFFIX, Base
from editkit.patch.manifest import MANIFEST, Kind, Manifest
from editkit.recipe import ModelRef


@dataclass(frozen=True)
class Edited:
    """An edit to load.

    Attributes:
        name: what errors call it.
        folder: where its patches are, and all other files where it is a folder of the user's own.
        kind: as in its `editkit.json`; `patch` where there is a patch and no such file.
        base: what the patches were made on.
        patches: in the order in which they are applied.
        commit: of a repository, what was asked for at this moment.
    """

    name: str
    folder: Path
    kind: Kind | Literal["patch"]
    base: Base
    patches: tuple[Patch, ...]
    commit: str | None = None


def edited(ref: ModelRef, token: str | None = None) -> Edited:
    """The edit in a repository, a folder or a patch file; of a repository, weights are not downloaded.

    Raises:
        ModelError: there is none of that name, or it can't be had.
        PatchError: there is no patch in it, or a damaged one.
    """
    place = Path(ref.id).expanduser()
    if place.is_file():
        patch = Patch.load(place)
        return Edited(ref.id, place.parent, "patch", patch.base, (patch,))
    commit = None
    if ref.id in EMBEDDED:
        place = EMBEDDED[ref.id]
    elif not place.is_dir():
        place = _downloaded(ref, token)
        commit = place.name
    if (place / MANIFEST).is_file():
        return replace(_described(ref.id, place), commit=commit)
    found = sorted(path for path in place.glob(f"*{SUFFIX}") if path.is_file())
    if not found:
        raise PatchError(
            f"{ref.id}: no patch of editkit's is in it: of a plain model, give the patch as well; load what "
            "others edited as they say"
        )
    if len(found) > 1:
        raise PatchError(
            f"{ref.id}: {len(found)} patches are in it, and nothing says in which order: make them one with "
            "`editkit merge`, or load the base and one of them"
        )
    patch = Patch.load(found[0])
    return Edited(ref.id, place, "patch", patch.base, (patch,), commit)


def _downloaded(ref: ModelRef, token: str | None) -> Path:
    if ref.id.count("/") != 1 or ref.is_path:
        raise ModelError(f"{ref.id}: no such folder or patch, and no Hub name (org/name) either")
    from huggingface_hub import snapshot_download

    wanted = [MANIFEST, f"*{SUFFIX}"]
    try:
        return Path(snapshot_download(ref.id, revision=ref.revision, allow_patterns=wanted, token=token))
    except (http_error(), OSError, ValueError) as error:
        raise unreachable(ref, error) from error


def _described(name: str, folder: Path) -> Edited:
    manifest = Manifest.read(folder)
    patches = []
    for file, digest in manifest.patches:
        patch = Patch.load(folder / file)
        if patch.digest != digest:
            raise PatchError(f"{name}: {file} is not the patch that its {MANIFEST} names")
        patches.append(patch)
    if not patches:
        raise PatchError(f"{name}: its {MANIFEST} names no patch")
    if any(manifest.foreign([patch.base for patch in patches])):
        raise PatchError(f"{name}: a patch in it was made on another base than its {MANIFEST} says")
    return Edited(name, folder, manifest.kind, manifest.base, tuple(patches))


def base_of(edit: Edited, given: str | None) -> ModelRef:
    """The base to load: at the patch's own commit, unless the caller says another.

    Raises:
        ModelError: the base has no public name, and none is given.
    """
    if given is not None:
        return pinned(edit.base, given)
    if edit.base.id.startswith("sha256:"):
        raise ModelError(
            "the edit was made on a local checkpoint, which has no public name: give its folder as base="
        )
    return ModelRef(id=edit.base.id, revision=edit.base.revision)


def check_merged(edit: Edited, folder: Path) -> None:
    """Look whether a merged checkpoint has the edit in it: the tensors it changed, byte for byte.

    Raises:
        PatchError: a tensor is not what the last patch on it left.
    """
    checkpoint = Checkpoint.open(folder)
    last: Mapping[str, str] = {
        entry.tensor: entry.edited_digest for patch in edit.patches for entry in patch.entries
    }
    alone = len(edit.patches) == 1
    for tensor, digest in last.items():
        found = checkpoint.tensors.get(tensor)
        if found is None or (alone and checkpoint.digest(tensor) != digest):
            raise PatchError(f"{edit.name}: tensor {tensor!r} is not what the patch in it makes of it")
    if not alone:
        _check_rows(edit, checkpoint)


def _check_rows(edit: Edited, checkpoint: Checkpoint) -> None:
    """Of several patches on top of each other: the rows that the last one of each neuron wrote."""
    seen: set[tuple[str, int | None, int]] = set()
    for patch in reversed(edit.patches):
        for entry in patch.entries:
            now = checkpoint.read_rows(entry.tensor, entry.neurons, entry.orientation, entry.slab)
            for row, wanted, neuron in zip(now, entry.edited, entry.neurons.tolist(), strict=True):
                place = (entry.tensor, entry.slab, neuron)
                if place not in seen and not (row == wanted).all():
                    raise PatchError(f"{edit.name}: neuron {neuron} of {entry.tensor!r} is not as edited")
                seen.add(place)
