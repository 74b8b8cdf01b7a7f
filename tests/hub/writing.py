"""Creating repositories, uploading large files, and commits."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256

import yaml

from tests.hub.answering import Refused
from tests.hub.reading import Reading
from tests.hub.repository import Blob, Repository

LARGE = (".safetensors",)  # kept outside of git, as the Hub's own .gitattributes wants it


class Writing(Reading):
    def route(self, method: str, parts: list[str], query: Mapping[str, str]) -> None:
        own = "create_pr" not in query
        match method, parts:
            case "POST", ["api", "repos", "create"]:
                self._create(self.sent())
            case "POST", ["api", "validate-yaml"]:
                self._validate(self.sent()["content"])
            case "POST", ["api", "models", org, name, "branch", branch]:
                self._refer(self.repository(f"{org}/{name}", write=True), branch, self.sent())
            case "POST", ["api", "models", org, name, "tag", revision]:
                repository = self.repository(f"{org}/{name}", write=True)
                self._refer(repository, self.sent()["tag"], {"startingPoint": revision})
            case "POST", ["api", "models", org, name, "preupload", revision]:
                self._prepare(self.repository(f"{org}/{name}", write=own), revision)
            case "POST", [org, git, "info", "lfs", "objects", "batch"]:
                self.repository(f"{org}/{git.removesuffix('.git')}")
                self._batch(self.sent())
            case "PUT", ["lfs", digest]:
                self._take(digest)
            case "POST", ["api", "models", org, name, "commit", revision]:
                self._commit(self.repository(f"{org}/{name}", write=own), revision, pull_request=not own)
            case _:
                super().route(method, parts, query)

    def _create(self, asked: Mapping[str, str | None]) -> None:
        user = self.user
        owner = asked.get("organization") or (user.name if user else None)
        if user is None:
            raise Refused(401, "Invalid username or password.")
        if owner not in user.orgs or not user.writes:
            raise Refused(403, f'You don\'t have the rights to create a model under the namespace "{owner}"')
        name = f"{owner}/{asked['name']}"
        if name in self.serving.repositories:
            raise Refused(409, "You already created this model repo")
        private = asked.get("visibility") == "private"
        self.serving.repositories[name] = Repository.new(name, private=private)
        self.json({"url": f"{self.serving.endpoint}/{name}", "name": name, "id": name})

    def _validate(self, card: str) -> None:
        try:
            yaml.safe_load(card.split("---")[1]) if card.startswith("---") else None
        except yaml.YAMLError as error:
            self.json({"errors": [{"message": str(error)}], "warnings": []}, 400)
            return
        bare = [] if card.startswith("---") else [{"message": "empty or missing yaml metadata in repo card"}]
        self.json({"errors": [], "warnings": bare})

    def _refer(self, repository: Repository, ref: str, asked: Mapping[str, str]) -> None:
        if ref in repository.refs:
            raise Refused(409, f"Reference {ref} already exists")
        repository.refs[ref] = self._at(repository, asked.get("startingPoint", "main")).id
        self.json({})

    def _prepare(self, repository: Repository, revision: str) -> None:
        commit = self._at(repository, revision)
        answers = []
        for file in self.sent()["files"]:
            blob = commit.files.get(file["path"])
            mode = "lfs" if file["path"].endswith(LARGE) else "regular"
            oid = None if blob is None else blob.sha256 if blob.lfs else blob.oid
            answers.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self.json({"files": answers})

    def _batch(self, asked: Mapping[str, list[dict[str, str]]]) -> None:
        objects = []
        for one in asked["objects"]:
            here = one["oid"] in self.serving.large
            href = f"{self.serving.endpoint}/lfs/{one['oid']}"
            objects.append(one if here else {**one, "actions": {"upload": {"href": href}}})
        self.json({"transfer": "basic", "objects": objects})

    def _take(self, digest: str) -> None:
        content = bytearray()
        size = int(self.headers.get("content-length") or 0)
        cut = self.serving.faults.cut_upload(size)
        for piece in self.body():
            content += piece
            if cut is not None and len(content) >= cut:
                self.hang_up()
                return
        if sha256(content).hexdigest() != digest:
            raise Refused(400, "The content does not have the digest it was announced with")
        self.serving.faults.hold(digest)
        self.serving.large[digest] = Blob(bytes(content), lfs=True)
        self.answer(200, b"", {"ETag": f'"{digest}"'})

    def _commit(self, repository: Repository, revision: str, *, pull_request: bool) -> None:
        lines = [json.loads(line) for line in b"".join(self.body()).splitlines()]
        head = next(line["value"] for line in lines if line["key"] == "header")
        self.serving.faults.meanwhile(repository)
        parent = self._at(repository, revision)
        expected = head.get("parentCommit")
        if expected is not None and expected != parent.id:
            if not pull_request:
                raise Refused(412, "A commit has happened since. Please refresh and try again.")
            parent = self._at(repository, expected)
        files = dict(parent.files)
        for line in lines:
            value = line["value"]
            match line["key"]:
                case "file":
                    files[value["path"]] = Blob(b64decode(value["content"]))
                case "lfsFile":
                    if value["oid"] not in self.serving.large:
                        raise Refused(400, f"{value['path']} was not uploaded")
                    files[value["path"]] = self.serving.large[value["oid"]]
                case "deletedFile":
                    if files.pop(value["path"], None) is None:
                        raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
        where = f"{self.serving.endpoint}/{repository.name}"
        answer = {"success": True}
        ref = revision
        if pull_request:
            repository.pull_requests += 1
            number = repository.pull_requests
            ref = f"refs/pr/{number}"
            repository.refs[ref] = parent.id
            answer["pullRequestUrl"] = f"{where}/discussions/{number}"
        elif revision not in repository.refs:
            raise Refused(400, "A commit goes to a branch")
        made = repository.commit(ref, files, head["summary"])
        self.json({**answer, "commitOid": made.id, "commitUrl": f"{where}/commit/{made.id}"})
