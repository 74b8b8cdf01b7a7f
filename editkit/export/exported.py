"""What an export wrote, and the file that says what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from editkit.events import Tell, nobody, stage
from editkit.patch.file import Patch
from editkit.patch.format import Base
from editkit.patch.manifest import MANIFEST, File, Kind, Manifest, digest_of
from editkit.patch.writer import pieces

# What git, the Hub's client and signing put beside the files: none of it belongs to them.
OTHERS: Final = {".git", ".gitattributes", ".cache", "model.sig"}


@dataclass(frozen=True)
class Exported:
    """A folder that was written.

    Attributes:
        kind: as in its `editkit.json`.
        n_bytes: of all its files.
        notes: what a user should know of it, a sentence each.
    """

    folder: Path
    kind: Kind
    n_files: int
    n_bytes: int
    notes: tuple[str, ...] = field(default=())


def seal(
    folder: Path,
    kind: Kind,
    patch: Patch,
    patch_file: str,
    known: Mapping[str, str | None] | None = None,
    tell: Tell = nobody,
    *,
    earlier: Manifest | None = None,
) -> Manifest:
    """Save the patch in a folder that is complete otherwise, and write its `editkit.json`.

    Args:
        patch_file: the patch's place in the folder.
        known: files by their path there whose SHA-256 is known already; None where nobody asked for it.
        earlier: of the merged folder that the patch was put on; its patches are in this folder too.

    Raises:
        OSError: a file can't be written.
    """
    (folder / patch_file).parent.mkdir(exist_ok=True)
    with (folder / patch_file).open("xb") as stream:  # synced with all the rest
        stream.writelines(pieces(patch))
    own = (patch_file, patch.digest)
    if earlier is None:
        return describe(folder, kind, patch.base, (own,), known, tell)
    return describe(folder, kind, earlier.base, (*earlier.patches, own), known, tell)


def describe(
    folder: Path,
    kind: Kind,
    base: Base,
    patches: tuple[tuple[str, str], ...],
    known: Mapping[str, str | None] | None = None,
    tell: Tell = nobody,
) -> Manifest:
    """Write the `editkit.json` of a folder that is complete otherwise, its patches too.

    What git and the Hub may change in a folder does not stand in it.

    Raises:
        OSError: a file can't be read or written.
    """
    held = {name for name, _ in patches}
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    names = sorted(name for name in paths.keys() - held if name.partition("/")[0] not in OTHERS)
    digests = {name: digest for name, digest in (known or {}).items() if name in paths}
    unknown = [name for name in names if name not in digests]
    if unknown:
        with stage(tell, "hash the files", len(unknown)) as advance:
            for name in unknown:
                digests[name] = digest_of(paths[name])
                advance()
    files = {name: File(paths[name].stat().st_size, digests[name]) for name in names}
    manifest = Manifest(1, kind, base, patches, files)
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    return manifest


def size_of(folder: Path) -> tuple[int, int]:
    """How many files a folder has, and of how many bytes."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)
