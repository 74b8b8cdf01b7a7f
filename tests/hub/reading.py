"""What a Hub says of repositories, and the files it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.hub.answering import Answering, Refused
from tests.hub.repository import Blob, Commit, Repository


class Reading(Answering):
    def route(self, method: str, parts: list[str], query: Mapping[str, str]) -> None:
        match parts:
            case ["api", "whoami-v2"]:
                self._who()
            case ["api", "models", org, name]:
                self._info(self.repository(f"{org}/{name}"), "main", query)
            case ["api", "models", org, name, "revision", revision]:
                self._info(self.repository(f"{org}/{name}"), revision, query)
            case ["api", "models", org, name, "tree", revision, *below]:
                self._tree(self.repository(f"{org}/{name}"), revision, "/".join(below), query)
            case [org, name, "resolve", revision, *path]:
                self._file(self.repository(f"{org}/{name}", files=True), revision, "/".join(path))
            case ["cdn", digest]:
                if self.command == "GET":
                    self.serving.faults.hold(digest)
                self._give(self.serving.large[digest], {})
            case _:
                raise Refused(404, "Not Found")

    def _who(self) -> None:
        user = self.user
        if user is None:
            raise Refused(401, "Invalid username or password.")
        role = "write" if user.writes else "read"
        self.json(
            {
                "type": "user",
                "name": user.name,
                "orgs": [{"name": org} for org in user.orgs],
                "auth": {"type": "access_token", "accessToken": {"displayName": "test", "role": role}},
            }
        )

    def _at(self, repository: Repository, revision: str) -> Commit:
        commit = repository.at(revision)
        if commit is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit

    def _info(self, repository: Repository, revision: str, query: Mapping[str, str]) -> None:
        commit = self._at(repository, revision)
        siblings: list[dict[str, Any]] = [{"rfilename": path} for path in commit.files]
        if query.get("blobs") == "true":
            for sibling, blob in zip(siblings, commit.files.values(), strict=True):
                sibling |= {"size": blob.size, "blobId": blob.oid}
                if blob.lfs:
                    sibling["lfs"] = {"sha256": blob.sha256, "size": blob.size, "pointerSize": 130}
        self.json(
            {
                "id": repository.name,
                "modelId": repository.name,
                "sha": commit.id,
                "private": repository.private,
                "gated": "manual" if repository.gated else False,
                "disabled": False,
                "tags": [],
                "siblings": siblings,
            }
        )

    def _tree(self, repository: Repository, revision: str, below: str, query: Mapping[str, str]) -> None:
        commit = self._at(repository, revision)
        start = f"{below}/" if below else ""
        entries: dict[str, dict[str, Any]] = {}
        for path, blob in commit.files.items():
            if not path.startswith(start):
                continue
            inside = path.removeprefix(start).split("/")
            for depth in range(1, len(inside)):
                folder = start + "/".join(inside[:depth])
                entries[folder] = {"type": "directory", "path": folder, "size": 0, "oid": "0" * 40}
            entries[path] = blob.listed(path)
        if below and not entries:
            raise Refused(404, f"{below} does not exist", "EntryNotFound")
        deep = query.get("recursive", "false").lower() in ("true", "1")
        shown = [one for path, one in entries.items() if deep or "/" not in path.removeprefix(start)]
        self.json(shown)

    def _file(self, repository: Repository, revision: str, path: str) -> None:
        commit = self._at(repository, revision)
        blob = commit.files.get(path)
        headers = {"X-Repo-Commit": commit.id}
        if blob is None:
            said = {**headers, "X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
            self.answer(404, b"", said)
        elif blob.lfs:
            self.serving.large[blob.sha256] = blob
            linked = {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(blob.size)}
            # Another host, as the Hub has for them: only what redirects to itself is followed at once.
            where = f"{self.serving.endpoint.replace('127.0.0.1', 'localhost')}/cdn/{blob.sha256}"
            self.answer(302, b"", {**headers, **linked, "Location": where})
        else:
            self._give(blob, headers)

    def _give(self, blob: Blob, headers: Mapping[str, str]) -> None:
        size, wanted = blob.size, self.headers.get("range")
        said = {"ETag": f'"{blob.etag}"', "Accept-Ranges": "bytes", **headers}
        first, last = 0, size - 1
        if wanted is not None:
            start, end = wanted.removeprefix("bytes=").split("-")
            first, last = int(start), min(int(end or size - 1), size - 1)
            said["Content-Range"] = f"bytes {first}-{last}/{size}"
        body = b"" if self.command == "HEAD" else blob.read(first, last + 1)
        cut = self.serving.faults.cut_download(len(body)) if body else None
        self.answer(206 if wanted is not None else 200, body[:cut], said, last - first + 1)
        if cut is not None:
            self.hang_up()
