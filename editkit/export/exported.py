"""What an export wrote, and the file that says what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from editkit.events import Tell, nobody, stage
from editkit.patch.file import Patch
from editkit.patch.manifest import MANIFEST, File, Kind, Manifest, digest_of


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
) -> Manifest:
    """Save the patch in a folder that is complete otherwise, and write its `editkit.json`.

    Args:
        patch_file: the patch's place in the folder.
        known: files by their path there whose SHA-256 is known already; None where nobody asked for it.

    Raises:
        OutputError, OSError: a file can't be written.
    """
    known = known or {}
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    files = {}
    with stage(tell, "hash the files", len(names)) as advance:
        for name, path in names.items():
            digest = known[name] if name in known else digest_of(path)
            files[name] = File(path.stat().st_size, digest)
            advance()
    (folder / patch_file).parent.mkdir(exist_ok=True)
    patch.save(folder / patch_file)
    manifest = Manifest(1, kind, patch.base, ((patch_file, patch.digest),), files)
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    return manifest
