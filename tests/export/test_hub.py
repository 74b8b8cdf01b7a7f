"""Pushed to a Hub that speaks its protocol, and pulled from it: every byte, one commit, nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hub import Hub, Repository, Worker
from tests.hub.fixtures import ANA, BEN, Shipped
from tests.hub.repository import Blob

KINDS = ("hub", "lora", "merged", "patch")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def here(repository: Repository) -> dict[str, bytes]:
    """What is on the main branch, but for what the Hub put there itself."""
    return {
        path: blob.read(0, blob.size) for path, blob in repository.files.items() if path != ".gitattributes"
    }


@pytest.fixture
def llama(shipped: Callable[..., Shipped]) -> Shipped:
    return shipped("llama")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_pushed_is_pulled_byte_for_byte(
    worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path, kind: str
) -> None:
    name = f"org/whole-{kind}"
    base = ("--base", llama.base_name) if kind == "patch" else ()
    pushed = worker.call("--json", "push", llama.form(kind), name, "--private", *base, token=ANA)
    assert pushed.code == 0, pushed.err
    repository = serving.repositories[name]
    assert repository.private
    assert len(repository.commits) == 2, "one commit beside the one that a new repository has"
    assert pushed.document["commit"] == repository.refs["main"]
    assert pushed.document["created"] is True
    pulled = worker.call("--json", "pull", name, "-o", tmp_path / "got it", token=ANA)
    assert pulled.code == 0, pulled.err
    assert pulled.document["kind"] == kind
    assert contents(tmp_path / "got it") == here(repository)
    if kind == "patch":
        assert here(repository)[llama.file.name] == llama.file.read_bytes()
        assert b"base_model: org/llama" in here(repository)["README.md"]
    else:
        assert here(repository) == contents(llama.form(kind))
    again = worker.call("--json", "push", llama.form(kind), name, *base, token=ANA)
    assert again.document["commit"] == pushed.document["commit"]
    assert len(repository.commits) == 2, "nothing changed, so nothing is committed"


def test_another_edit_replaces_what_editkit_wrote_and_nothing_else(
    worker: Worker, serving: Hub, llama: Shipped
) -> None:
    name = "org/again"
    assert worker.call("push", llama.merged, name, token=ANA).code == 0
    repository = serving.repositories[name]
    repository.commit("main", {**repository.files, "notes.txt": Blob(b"mine")}, "a note")
    answer = worker.call("--json", "push", llama.hub, name, token=ANA)
    assert answer.code == 0, answer.err
    assert here(repository) == {**contents(llama.hub), "notes.txt": b"mine"}
    document = answer.document
    assert document["replaced"] == ["editkit.json"]
    assert document["kept"] == ["notes.txt"]
    assert "model.safetensors" in document["removed"]
    assert "is there already: the push replaces editkit.json; adds README.md" in answer.err


def test_a_repository_of_others_is_not_pushed_over(worker: Worker, serving: Hub, llama: Shipped) -> None:
    before = serving.repositories["org/llama"].refs["main"]
    answer = worker.call("push", llama.hub, "org/llama", token=ANA)
    assert answer.code == 1
    assert "holds nothing that editkit wrote: name another repository, or open a pull request" in answer.err
    assert serving.repositories["org/llama"].refs["main"] == before


def test_a_public_repository_does_not_become_private_by_asking(
    worker: Worker, serving: Hub, llama: Shipped
) -> None:
    serving.repositories["org/open"] = Repository.new("org/open")
    answer = worker.call("push", llama.hub, "org/open", "--private", token=ANA)
    assert answer.code == 1
    assert "is there already and public" in answer.err
    assert here(serving.repositories["org/open"]) == {}


def test_who_committed_meanwhile_is_not_overwritten(worker: Worker, serving: Hub, llama: Shipped) -> None:
    name = "org/stale"
    assert worker.call("push", llama.lora, name, token=ANA).code == 0
    repository = serving.repositories[name]

    def other(found: Repository) -> None:
        found.commit("main", {**found.files, "other.txt": Blob(b"first")}, "somebody else's")

    serving.faults.before_commit = other
    answer = worker.call("push", llama.hub, name, token=ANA)
    assert answer.code == 1
    assert answer.err.splitlines()[-1] == (
        f"error: {name}: somebody changed it meanwhile, and nothing was pushed: look at it, then push again"
    )
    assert here(repository) == {**contents(llama.lora), "other.txt": b"first"}
    assert worker.call("push", llama.hub, name, token=ANA).code == 0
    assert here(repository) == {**contents(llama.hub), "other.txt": b"first"}


def test_a_pull_request_leaves_the_main_branch(
    worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path
) -> None:
    name = "org/asked"
    assert worker.call("push", llama.lora, name, token=ANA).code == 0
    answer = worker.call("--json", "push", llama.hub, name, "--create-pr", token=BEN)
    assert answer.code == 0, answer.err
    assert answer.document["pull_request"] == f"{serving.endpoint}/{name}/discussions/1"
    assert here(serving.repositories[name]) == contents(llama.lora)
    pulled = worker.call("--json", "pull", f"{name}@refs/pr/1", "-o", tmp_path / "pr")
    assert pulled.document["commit"] == answer.document["commit"]
    assert contents(tmp_path / "pr") == contents(llama.hub)
    both = worker.call("push", llama.hub, name, "--create-pr", "--revision", "next", token=BEN)
    assert both.code == 2
    none = worker.call("push", llama.hub, "org/not-there", "--create-pr", token=BEN)
    assert none.code == 1
    assert "no such repository" in none.err


def test_branches_tags_and_commits_are_revisions(
    worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path
) -> None:
    name = "org/revisions"
    first = worker.call("--json", "push", llama.lora, name, token=ANA).document["commit"]
    tag = "from huggingface_hub import HfApi; HfApi().create_tag(name, tag='v1')"
    assert worker.script(tag, token=ANA, name=name).code == 0
    branch = worker.call("--json", "push", llama.hub, name, "--revision", "next", token=ANA)
    assert branch.code == 0, branch.err
    assert here(serving.repositories[name]) == contents(llama.lora)
    for revision, kind in (("v1", "lora"), ("next", "hub"), (first, "lora")):
        pulled = worker.call("--json", "pull", f"{name}@{revision}", "-o", tmp_path / revision)
        assert (pulled.code, pulled.document["kind"]) == (0, kind), pulled.err
    missing = worker.call("pull", f"{name}@v2", "-o", tmp_path / "v2")
    assert (missing.code, missing.err) == (1, f"error: {name}: has no revision v2 on the Hub\n")


def test_a_pulled_folder_replaces_only_what_editkit_wrote(
    worker: Worker, llama: Shipped, tmp_path: Path
) -> None:
    worker.call("push", llama.lora, "org/forced", token=ANA)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    assert worker.call("pull", "org/forced", "-o", "mine", "--force", cwd=tmp_path).code == 1
    assert contents(tmp_path / "mine") == {"thesis.txt": b"all of it"}
    assert worker.call("pull", "org/forced", cwd=tmp_path).code == 0
    assert worker.call("pull", "org/forced", cwd=tmp_path).code == 1
    assert worker.call("pull", "org/forced", "--force", cwd=tmp_path).code == 0
    assert contents(tmp_path / "forced") == contents(llama.lora)


@pytest.mark.parametrize("kind", ["hub", "patch"])
def test_a_byte_that_changed_on_the_hub_is_not_pulled(
    worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path, kind: str
) -> None:
    name = f"org/tampered-{kind}"
    assert worker.call("push", llama.form(kind), name, token=ANA).code == 0
    repository = serving.repositories[name]
    file = "adapter_model.safetensors" if kind == "hub" else llama.file.name
    blob = repository.files[file]
    bad = blob.read(0, blob.size - 1) + (b"\x7f" if kind == "hub" else b"")
    repository.commit("main", {**repository.files, file: Blob(bad, lfs=True)}, "an improvement")
    answer = worker.call("pull", name, "-o", "got", cwd=tmp_path)
    assert answer.code == 1
    assert file in answer.err or "patch" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_what_others_put_beside_an_edit_is_left(
    worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path
) -> None:
    assert worker.call("push", llama.hub, "org/beside", token=ANA).code == 0
    repository = serving.repositories["org/beside"]
    more = {"extra/pytorch_model.bin": Blob(b"pickle"), "../up.txt": Blob(b"out of here")}
    repository.commit("main", {**repository.files, **more}, "more")
    answer = worker.call("--json", "pull", "org/beside", "-o", tmp_path / "got")
    assert contents(tmp_path / "got") == contents(llama.hub)
    assert answer.document["notes"] == [
        "left out, because editkit did not write it: ../up.txt, extra/pytorch_model.bin"
    ]
    assert not serving.asked_for("pytorch_model.bin")


def test_a_repository_without_an_edit_is_not_pulled(worker: Worker, llama: Shipped, tmp_path: Path) -> None:
    answer = worker.call("pull", llama.base_name, "-o", "got", cwd=tmp_path)
    assert answer.code == 1
    assert "holds nothing that editkit wrote: `hf download org/llama` gets it" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_large_files_go_and_come_one_by_one(
    worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path
) -> None:
    least = (
        "import editkit.export.hub as up, editkit.export.pulled as down\n"
        "value = up.LARGE_BYTES\nup.LARGE_BYTES = down.LARGE_BYTES = size"
    )
    usual = worker.script(least, size=4000).value
    try:
        before = len(serving.requests)
        pushed = worker.call("push", llama.merged, "org/large", token=ANA)
        pulled = worker.call("pull", "org/large", "-o", tmp_path / "got")
    finally:
        worker.script(least, size=usual)
    assert (pushed.code, pulled.code) == (0, 0), pushed.err + pulled.err
    sizes = [path.stat().st_size for path in llama.merged.rglob("*") if path.is_file()]
    batches = [path for _, path, _ in serving.requests[before:] if "/preupload/" in path]
    assert len(batches) == 1 + sum(size >= 4000 for size in sizes)
    assert here(serving.repositories["org/large"]) == contents(llama.merged) == contents(tmp_path / "got")
