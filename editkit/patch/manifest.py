"""`editkit.json`: what a folder that editkit wrote was made from, and the digest of each of its files.

It has one spelling, so that a changed byte in it shows as well: what it says is compared with the patches,
which are among its files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, FailFast, TypeAdapter, ValidationError

from editkit.checkpoint.strict import Density, strict_json
from editkit.checkpoint.tensorfile import opened
from editkit.errors import OutputError, PatchError, printable
from editkit.patch.format import DIGEST, STRICT, Base

MANIFEST: Final = "editkit.json"
LONGEST: Final = 16 << 20
DENSITY: Final = Density(
    bytes_per_container=32, bytes_per_item=10, most_items=250_000
)  # a file takes 100 bytes
Kind = Literal["merged", "lora", "hub"]


@dataclass(frozen=True)
class File:
    """One file; `sha256` is None where nobody asked for it."""

    size: int
    sha256: str | None

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
class Manifest:
    """What stands in `editkit.json`.

    Attributes:
        kind: a merged checkpoint, a LoRA adapter, or a folder for the Hub.
        base: the checkpoint the patches were made on.
        patches: their files here, in the order they were applied -> SHA-256.
        files: every other file, by its path with forward slashes.
    """

    version: Literal[1]
    kind: Kind
    base: Base
    patches: Annotated[tuple[tuple[str, str], ...], FailFast()]
    files: Mapping[str, File]

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    def foreign(self, bases: Sequence[Base]) -> list[bool]:
        """Of the bases that its patches name, in their order: which are of another model than it says.

        A patch that was made on a checkpoint which had another one in it may know the same model by another
        name, but not with another config.
        """
        known = self.base in bases
        alike = [known and base.config_digest == self.base.config_digest for base in bases]
        return [base != self.base and not same for base, same in zip(bases, alike, strict=True)]

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a folder.

        Raises:
            PatchError: there is none, or it is not as one is written.
        """
        path = folder / MANIFEST
        try:
            with opened(path) as stream:
                if os.fstat(stream.fileno()).st_size > LONGEST:
                    raise PatchError(f"{path}: too long for a manifest")
                text = stream.read()
            strict_json(text, DENSITY)
            found: Manifest = ADAPTER.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise PatchError(f"{path}: {where!r:.200} is wrong: {first['msg']:.200}") from error
        except OSError as error:
            why = f"{path}: can't be read ({error.strerror}): this is no folder that editkit wrote"
            raise PatchError(why) from error
        except ValueError as error:
            raise PatchError(f"{path}: {error}") from error
        names = [*found.files, *(name for name, _ in found.patches)]
        if not all(map(_inside, names)) or len(set(names)) < len(names):
            raise PatchError(f"{path}: names a file outside its folder, or one twice")
        digests = [one.sha256 for one in found.files.values()] + [digest for _, digest in found.patches]
        if not all(digest is None or DIGEST.fullmatch(digest) for digest in digests):
            raise PatchError(f"{path}: a digest is no SHA-256 in hex")
        if found.to_json().encode() != text:
            raise PatchError(f"{path}: it is not written the way that editkit writes it")
        return found


ADAPTER: Final = TypeAdapter(Manifest)
# What signing, the Hub and its client put beside an export; a .git is somebody's work.
BESIDE: Final = {MANIFEST, "model.sig", ".gitattributes", ".cache"}


def replaceable(place: Path, force: bool) -> str | None:
    """`MANIFEST` where a folder with one may be replaced: its user says so, and nothing else would go too.

    Raises:
        OutputError: the folder holds what editkit did not write.
    """
    if not force:
        return None
    if place.is_symlink() or not (place / MANIFEST).is_file():
        return MANIFEST
    try:
        manifest = Manifest.read(place)
    except PatchError as error:
        raise OutputError(f"{error}: so it is not replaced; move it away") from error
    own = {*manifest.files, *(name for name, _ in manifest.patches)}
    names = {path.relative_to(place).as_posix() for path in place.rglob("*") if not path.is_dir()}
    others = sorted(name for name in names - own if name.partition("/")[0] not in BESIDE)
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        shown = printable(", ".join(others[:3]))
        why = f"holds what editkit did not write ({shown}{more}): move that away first"
        raise OutputError(f"{place}: {why}")
    return MANIFEST


def _inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    plain = bool(parts) and str(PurePosixPath(*parts)) == name and "\0" not in name and "\\" not in name
    return plain and not name.startswith("/") and ".." not in parts and name != MANIFEST


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, streamed.

    Raises:
        OSError: it can't be read.
    """
    with opened(path) as stream:
        return file_digest(stream, "sha256").hexdigest()
