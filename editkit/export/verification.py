"""Is a patch or a folder what it says it is, and what somebody else says it is?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from editkit.checkpoint import Checkpoint
from editkit.errors import PatchError, UsageError
from editkit.events import Tell, nobody
from editkit.export.checking import Checked, check_folder, check_patch
from editkit.export.signing import SIGNATURE, check_signature
from editkit.patch.file import Patch
from editkit.patch.format import DIGEST
from editkit.patch.manifest import MANIFEST

SHOWN: Final = 3


@dataclass(frozen=True)
class Verified:
    """What was looked at, and what came of it; each a few words for people.

    Attributes:
        kind: `patch`, or that of the folder.
        digest: SHA-256 that names all of it: the patch's, or that of the folder's `editkit.json`.
        checked: what was looked at.
        unchecked: what nothing was given for.
        wrong: what is not right.
    """

    place: Path
    kind: str
    digest: str
    n_files: int
    n_bytes: int
    checked: tuple[str, ...]
    unchecked: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What is wrong, the first few."""
        more = f"; and {len(self.wrong) - SHOWN} more" if len(self.wrong) > SHOWN else ""
        return f"{self.place}: {'; '.join(self.wrong[:SHOWN])}{more}"


def verify(
    place: Path,
    *,
    base: Checkpoint | None = None,
    digest: str | None = None,
    public_key: Path | None = None,
    certificates: Sequence[Path] = (),
    tell: Tell = nobody,
) -> Verified:
    """Compare a patch file, or every byte of a folder that editkit wrote, with all that is known of it.

    A file of a folder of which nothing is known but its size is wrong as well.

    Args:
        base: the checkpoint it was made on.
        digest: the SHA-256 it should have.
        public_key, certificates: of who signed the folder; one of the two.

    Raises:
        PatchError: no patch, or no folder that editkit wrote.
        ModelError: the base can't be read.
        UsageError: a digest or a key that can't be used, or a key for a patch file.
    """
    if digest is not None and not DIGEST.fullmatch(digest):
        raise UsageError(f"{digest:.80}: no SHA-256: it has 64 digits, 0 to 9 and a to f")
    if place.is_dir():
        return _folder(place, base, digest, public_key, certificates, tell)
    if public_key or certificates:
        raise UsageError(
            f"{place}: signatures are of folders; a patch file is named by its SHA-256 (--digest)"
        )
    return _patch(place, base, digest, tell)


class _Notes:
    """What is found on the way."""

    def __init__(self) -> None:
        self.checked: list[str] = []
        self.unchecked: list[str] = []
        self.wrong: list[str] = []

    def digest(self, found: str, wanted: str | None, what: str) -> None:
        if wanted is None:
            self.unchecked.append("whether it is the one that somebody else has seen (--digest)")
            return
        self.checked.append(f"the SHA-256 of {what}, against the one given")
        if found != wanted:
            self.wrong.append(f"the SHA-256 of {what} is {found}, not the one given")

    def base(self, base: Checkpoint | None, n_tensors: int) -> None:
        if base is None:
            self.unchecked.append("the base (--base)")
        else:
            self.checked.append(f"the base: its config.json, and {_count(n_tensors, 'tensor')} that change")


def _patch(place: Path, base: Checkpoint | None, digest: str | None, tell: Tell) -> Verified:
    patch, notes = Patch.load(place), _Notes()
    n_tensors = len({entry.tensor for entry in patch.entries})
    notes.checked.append(
        f"the format: {_count(len(patch.neurons()), 'row')} of {_count(n_tensors, 'tensor')}"
    )
    notes.digest(patch.digest, digest, "the file")
    notes.base(base, n_tensors)
    if base is not None:
        notes.wrong += check_patch(patch, base, tell)
    return _verified(place, "patch", patch.digest, 1, place.stat().st_size, notes)


def _folder(
    place: Path,
    base: Checkpoint | None,
    digest: str | None,
    public_key: Path | None,
    certificates: Sequence[Path],
    tell: Tell,
) -> Verified:
    found, notes = check_folder(place, base, tell), _Notes()
    notes.checked += list(_looked_at(found))
    notes.wrong += found.wrong
    if found.unchecked:
        names = ", ".join(found.unchecked[:SHOWN])
        notes.wrong.append(
            f"{_count(len(found.unchecked), 'file')} without a SHA-256 in {MANIFEST} ({names}): "
            + ("the base has none to compare with" if base else "give the base with --base")
        )
    notes.digest(found.digest, digest, MANIFEST)
    notes.base(base, found.n_tensors)
    if public_key or certificates:
        notes.checked.append(f"the signature in {SIGNATURE}")
        try:
            check_signature(place, public_key=public_key, certificates=certificates)
        except PatchError as error:
            notes.wrong.append(str(error).removeprefix(f"{place}: "))
    elif (place / SIGNATURE).exists():
        notes.unchecked.append("the signature (--public-key or --certificate)")
    else:
        notes.unchecked.append("who made it: it is not signed")
    return _verified(place, found.kind, found.digest, found.n_files, found.n_bytes, notes)


def _looked_at(found: Checked) -> tuple[str, ...]:
    files = f"{_count(found.n_files, 'file')}, every byte, and whether there are others"
    patches = (
        f"{_count(len(found.patches), 'patch', 'patches')}, and {MANIFEST}, which names the base as they do"
    )
    tensors = f"{_count(found.n_tensors, 'edited tensor')}: what the patches make, and lead back from"
    return (files, patches, tensors) if found.kind == "merged" else (files, patches)


def _verified(place: Path, kind: str, digest: str, n_files: int, n_bytes: int, notes: _Notes) -> Verified:
    said = tuple(notes.checked), tuple(notes.unchecked), tuple(notes.wrong)
    return Verified(place, kind, digest, n_files, n_bytes, *said)


def _count(number: int, noun: str, several: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"
