"""A repository on the Hub, as it is at one commit: what is in it, and what a push would change."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING, Final

from editkit.errors import OutputError, PatchError, UsageError
from editkit.events import Noted, Tell
from editkit.export.outgoing import CARD, SIGNATURE, Outgoing
from editkit.patch.format import SUFFIX
from editkit.patch.manifest import MANIFEST, Manifest, digest_of

if TYPE_CHECKING:
    from huggingface_hub import HfApi

# What the Hub or its web page puts into a new repository.
BARE: Final = {".gitattributes", CARD, "LICENSE"}
LARGE_BYTES: Final = 8 << 20  # files from here on come and go one by one


@dataclass(frozen=True)
class Change:
    """What a push does to the files of a repository, by their paths."""

    added: tuple[str, ...]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        return not (self.added or self.replaced or self.removed)

    def __str__(self) -> str:
        parts = (
            ("replaces", self.replaced),
            ("adds", self.added),
            ("removes", self.removed),
            ("keeps", self.kept),
        )
        return "; ".join(f"{verb} {some(names)}" for verb, names in parts if names) or "changes nothing"


def some(names: tuple[str, ...], shown: int = 5) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")


@dataclass(frozen=True)
class Remote:
    """A repository at a commit.

    Attributes:
        files: path -> SHA-256 of a large file, or git's digest of another.
    """

    name: str
    commit: str
    private: bool
    files: Mapping[str, str]

    @classmethod
    def read(cls, api: HfApi, name: str, revision: str | None) -> Remote:
        """As it is now; the client's own errors where it can't be read."""
        from huggingface_hub.hf_api import RepoFile

        info = api.model_info(name, revision=revision)
        if info.sha is None:
            raise ValueError("the Hub names no commit of it")
        tree = api.list_repo_tree(name, recursive=True, revision=info.sha)
        files = {
            one.path: one.blob_id if one.lfs is None else one.lfs.sha256
            for one in tree
            if isinstance(one, RepoFile)
        }
        return cls(name, info.sha, bool(info.private), files)

    @property
    def ours(self) -> bool:
        """Whether an edit may be pushed over what is there: an earlier one, or nothing."""
        edits = (path == MANIFEST or path.endswith(SUFFIX) for path in self.files)
        return any(edits) or self.files.keys() <= BARE

    def change(self, api: HfApi, out: Outgoing) -> Change:
        """What a push does. What an earlier one of editkit's left goes, what others put there stays."""
        files = out.files
        earlier = self._earlier(api) | {SIGNATURE, MANIFEST}
        gone = {path for path in self.files if path in earlier or path.endswith(SUFFIX)} - files.keys()
        here = self.files.keys() & files.keys()
        replaced = {path for path in here if not _same(files[path], out.digests.get(path), self.files[path])}
        kept = self.files.keys() - files.keys() - gone - {".gitattributes"}
        added = files.keys() - self.files.keys()
        return Change(*(tuple(sorted(paths)) for paths in (added, replaced, gone, kept)))

    def _earlier(self, api: HfApi) -> set[str]:
        if MANIFEST not in self.files:
            return set()
        path = Path(api.hf_hub_download(self.name, MANIFEST, revision=self.commit))
        try:
            manifest = Manifest.read(path.parent)
        except PatchError:
            return set()
        return {*manifest.files, *(name for name, _ in manifest.patches)}


def _same(path: Path, known: str | None, digest: str) -> bool:
    if len(digest) == 64:
        return (known or digest_of(path)) == digest
    content = path.read_bytes()
    return sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == digest


def named(name: str) -> str:
    """The name of a repository, if it is one.

    Raises:
        UsageError: it is not.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise UsageError(f"{name!r:.200}: no name of a repository: org/name") from error
    if name.count("/") != 1:
        raise UsageError(f"{name}: say whose it is as well: org/{name}")
    return name


def created(api: HfApi, name: str, *, private: bool) -> None:
    """Make a new repository; the client's own errors where it can't be made.

    Raises:
        OutputError: it is there, and not for this token to see.
    """
    from huggingface_hub.errors import HfHubHTTPError

    try:
        api.create_repo(name, private=private)
    except HfHubHTTPError as error:
        if error.response.status_code == 409:
            raise OutputError(f"{name}: is there already, and this token may not see it") from error
        raise


@contextmanager
def quiet() -> Iterator[None]:
    """The client draws bars of its own; ours say the same."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    before = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not before:
            enable_progress_bars()


@contextmanager
def warned(tell: Tell) -> Iterator[None]:
    """What the client warns of, such as a card that the Hub finds wanting, is told as a note."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield
    for one in said:
        if issubclass(one.category, UserWarning):
            tell(Noted(" ".join(str(one.message).split()), warning=True))
