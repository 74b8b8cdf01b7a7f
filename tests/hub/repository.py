"""What a Hub keeps: repositories as snapshots of files, with branches, tags and pull requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

COMMIT = "c0ffee" * 6 + "c0ff"  # of a folder that is served as it is
START = {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"}


@dataclass(frozen=True)
class User:
    """Whose token it is: it reads what belongs to one of `orgs`, and writes it unless it is read-only."""

    name: str
    orgs: tuple[str, ...] = ()
    writes: bool = True


@dataclass(frozen=True)
class Blob:
    """A file's content, in memory or where it lies on the disk."""

    content: bytes | Path
    lfs: bool = False

    @property
    def size(self) -> int:
        return self.content.stat().st_size if isinstance(self.content, Path) else len(self.content)

    @cached_property
    def sha256(self) -> str:
        return sha256(self.read(0, self.size)).hexdigest()

    @cached_property
    def oid(self) -> str:
        """As git has it; of a file on the disk, which may be large, made from name and size alone."""
        if isinstance(self.content, Path):
            return sha256(f"{self.content.name}:{self.size}".encode()).hexdigest()[:40]
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {self.size}\n"
        stored = pointer.encode() if self.lfs else self.content
        return sha1(b"blob %d\0" % len(stored) + stored).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid

    def read(self, start: int, end: int) -> bytes:
        if isinstance(self.content, bytes):
            return self.content[start:end]
        with self.content.open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)

    def listed(self, path: str) -> dict[str, Any]:
        """As a tree of files lists it."""
        entry: dict[str, Any] = {"type": "file", "path": path, "size": self.size, "oid": self.oid}
        if self.lfs:
            entry["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 130}
        return entry


@dataclass(frozen=True)
class Commit:
    id: str
    parent: str | None
    message: str
    files: Mapping[str, Blob]


@dataclass
class Repository:
    """`name` is `org/name`; a gated one shows what it has and gives it only to its own people."""

    name: str
    private: bool = False
    gated: bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    pull_requests: int = 0

    @classmethod
    def new(cls, name: str, *, private: bool = False, gated: bool = False) -> Repository:
        made = cls(name, private, gated)
        made.commit("main", {path: Blob(content) for path, content in START.items()}, "initial commit")
        return made

    @classmethod
    def of(cls, name: str, folder: Path) -> Repository:
        """A folder as it is, in one commit of a known id."""
        made = cls(name)
        files = {
            path.relative_to(folder).as_posix(): Blob(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        made.commits[COMMIT] = Commit(COMMIT, None, "as it is", files)
        made.refs["main"] = COMMIT
        return made

    def at(self, revision: str) -> Commit | None:
        """By its id, a branch, a tag or a pull request."""
        return self.commits.get(self.refs.get(revision, revision))

    def commit(self, ref: str, files: Mapping[str, Blob], message: str) -> Commit:
        """All files as they are from now on."""
        parent = self.refs.get(ref)
        said = repr((parent, message, sorted((path, blob.oid) for path, blob in files.items())))
        commit = Commit(sha1(said.encode()).hexdigest(), parent, message, dict(files))
        self.commits[commit.id] = commit
        self.refs[ref] = commit.id
        return commit

    @property
    def owner(self) -> str:
        return self.name.partition("/")[0]

    @property
    def files(self) -> Mapping[str, Blob]:
        """On the main branch."""
        return self.commits[self.refs["main"]].files
