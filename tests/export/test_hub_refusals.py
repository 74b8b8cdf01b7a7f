"""What keeps an edit from being published or had: one sentence each, and nothing changes anywhere."""

from __future__ import annotations

import hmac
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from editkit.patch.words import local_key
from tests.hub import Hub, Repository, Worker
from tests.hub.fixtures import ANA, BEN, EYE, Shipped
from tests.hub.worker import environment


@pytest.fixture
def llama(shipped: Callable[..., Shipped]) -> Shipped:
    return shipped("llama")


@contextmanager
def nothing_asked(serving: Hub) -> Iterator[None]:
    before = len(serving.requests)
    yield
    assert serving.requests[before:] == []


@contextmanager
def state(serving: Hub, **settings: bool) -> Iterator[None]:
    for name, value in settings.items():
        setattr(serving.faults if name == "down" else serving, name, value)
    try:
        yield
    finally:
        for name in settings:
            setattr(serving.faults if name == "down" else serving, name, False)


@pytest.mark.parametrize(
    ("token", "settings", "said"),
    [
        (None, {}, "no token is here: `hf auth login`, or set HF_TOKEN"),
        (
            "hf_nobody",
            {},
            "the Hub does not know the token: `hf auth login` with another one, or set HF_TOKEN",
        ),
        (BEN, {}, "the token may not do that there ("),
        (EYE, {}, "the token may not do that there ("),
        (ANA, {"read_only": True}, "this Hub only gives files, and takes none: look at HF_ENDPOINT"),
        (ANA, {"down": True}, "the Hub can't be reached, or the connection broke"),
    ],
)
def test_a_push_that_the_hub_does_not_take(
    worker: Worker, serving: Hub, llama: Shipped, token: str | None, settings: dict[str, bool], said: str
) -> None:
    with state(serving, **settings):
        answer = worker.call("--json", "push", llama.lora, "org/refused", token=token)
    assert answer.code == 1
    assert answer.document["error"].startswith(f"org/refused: {said}")
    assert "org/refused" not in serving.repositories


def test_a_push_to_what_others_own(worker: Worker, serving: Hub, llama: Shipped) -> None:
    assert worker.call("push", llama.lora, "org/theirs", "--private", token=ANA).code == 0
    before = dict(serving.repositories["org/theirs"].refs)
    for token in (BEN, EYE):
        answer = worker.call("push", llama.hub, "org/theirs", token=token)
        assert answer.code == 1
        assert len(answer.err.splitlines()[-1:]) == 1
        assert "the token may not do that there" in answer.err
    assert serving.repositories["org/theirs"].refs == before


@pytest.mark.parametrize(
    ("name", "token", "said"),
    [
        ("org/secret", None, "no such repository on the Hub, or a private one"),
        ("org/secret", BEN, "no such repository on the Hub, or a private one"),
        ("org/secret", "hf_nobody", "the Hub does not know the token"),
        ("org/nothing", ANA, "no such repository on the Hub, or a private one"),
        ("org/gated", BEN, "is gated: accept its terms on its page"),
    ],
)
def test_what_can_not_be_had(
    worker: Worker,
    serving: Hub,
    llama: Shipped,
    tmp_path: Path,
    name: str,
    token: str | None,
    said: str,
) -> None:
    if name not in serving.repositories and name != "org/nothing":
        assert worker.call("push", llama.hub, name, "--private", token=ANA).code == 0
        if name == "org/gated":
            serving.repositories[name].private, serving.repositories[name].gated = False, True
    pulled = worker.call("pull", name, "-o", "got", token=token, cwd=tmp_path)
    loaded = worker.script("import editkit; editkit.from_pretrained(name)", token=token, name=name)
    for answer in (pulled, loaded):
        assert answer.code == 1, answer.err
        assert answer.err.splitlines()[-1].removeprefix("error: ").startswith(f"{name}: {said}")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_none(worker: Worker, serving: Hub, llama: Shipped) -> None:
    with nothing_asked(serving):
        for name in ("edit", "a/b/c", "org/na me", "../up", "org/edit@main"):
            answer = worker.call("push", llama.lora, name, token=ANA)
            assert (answer.code, len(answer.err.splitlines())) == (2, 1 + answer.err.count(" ... (") * 2)


def test_a_hub_that_is_not_there(llama: Shipped, tmp_path: Path) -> None:
    script = (
        "from editkit.cli.main import run\n"
        "import editkit, sys\n"
        f"print(run(['push', {str(llama.lora)!r}, 'org/edit']), run(['pull', 'org/edit', '-o', 'got']))\n"
        "try:\n    editkit.from_pretrained('org/edit')\n"
        "except editkit.EditkitError as error:\n    print(error, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment("http://127.0.0.1:9", tmp_path / "hf", ANA),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "1"]
    pushed, pulled, loaded = [line for line in done.stderr.splitlines() if "org/edit" in line]
    assert "org/edit: the Hub can't be reached, or the connection broke (ConnectError)" in pushed
    assert "org/edit: the Hub can't be reached, or the connection broke (ConnectError)" in pulled
    assert "org/edit: not a folder here, and not to be had from the Hub (ConnectError)" in loaded


def test_a_rejected_edit_needs_a_word_more(
    worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path
) -> None:
    rejected = replace(llama.patch, provenance=replace(llama.patch.provenance, accepted=False))
    file = tmp_path / "r.editkit.safetensors"
    rejected.save(file)
    with nothing_asked(serving):
        answer = worker.call("push", file, "org/rejected", token=ANA)
    assert answer.code == 1
    assert "did not meet its goals (`editkit show` has the scores): --allow-rejected pushes it" in answer.err
    allowed = worker.call("push", file, "org/rejected", "--allow-rejected", token=ANA)
    assert allowed.code == 0, allowed.err


@pytest.mark.parametrize("change", ["byte", "missing", "more"])
def test_a_folder_that_changed_is_not_pushed(
    worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path, change: str
) -> None:
    folder = tmp_path / "changed"
    folder.mkdir()
    for path in llama.lora.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    file = folder / "adapter_model.safetensors"
    if change == "byte":
        file.write_bytes(file.read_bytes()[:-1] + b"\x7f")
    elif change == "missing":
        file.unlink()
    else:
        (folder / "diary.txt").write_text("dear")
    with nothing_asked(serving):
        answer = worker.call("push", folder, "org/changed", token=ANA)
    assert answer.code == 1
    named = "diary.txt" if change == "more" else file.name
    assert f"is not as it was written: {named}: " in answer.err


def test_a_folder_of_this_machine_is_not_told(
    worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path
) -> None:
    from editkit.export.lora import export_lora

    export_lora(llama.patch, llama.base, tmp_path / "local", base_name=str(llama.base))
    with nothing_asked(serving):
        answer = worker.call("push", tmp_path / "local", "org/local", token=ANA)
    assert answer.code == 1
    assert "calls the base by a folder of this machine: export it again, with --base-name" in answer.err


def test_a_word_that_must_not_be_published_is_told_by_its_place(
    worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path
) -> None:
    """A folder that another tool sealed with the word in it: found by its hash, with this user's key."""
    from editkit.export.exported import describe

    digits = hmac.digest(local_key(), b"zeppelin", "sha256").hex()[:16]
    came = replace(llama.patch.provenance, edits=(f"suppress hmac-{digits} -> the next best",))
    hidden = replace(llama.patch, provenance=came)
    folder = tmp_path / "told"
    folder.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (folder / name).write_bytes((llama.lora / name).read_bytes())
    (folder / "README.md").write_text("An edit.\n\nNo more Zeppelins.\n")
    hidden.save(folder / "edit.editkit.safetensors")
    describe(folder, "lora", hidden.base, (("edit.editkit.safetensors", hidden.digest),))
    with nothing_asked(serving):
        answer = worker.call("--json", "push", folder, "org/told", token=ANA)
    assert answer.code == 1
    said = answer.document["error"]
    assert f"must not be published are in 1 places: README.md: line 3: hmac-{digits}" in said
    assert "zeppelin" not in (answer.out + answer.err).lower()
    (folder / "README.md").write_text("An edit.\n")
    (folder / "editkit.json").unlink()
    describe(folder, "lora", hidden.base, (("edit.editkit.safetensors", hidden.digest),))
    pushed = worker.call("push", folder, "org/told", token=ANA)
    assert pushed.code == 0, pushed.err
    assert "empty or missing yaml metadata in repo card" in pushed.err, "what the Hub finds wanting is told"
    assert "zeppelin" not in json.dumps(serving.requests).lower()


def test_words_that_the_caller_names_are_looked_for(worker: Worker, serving: Hub, llama: Shipped) -> None:
    script = (
        "from pathlib import Path\nfrom editkit.export.hub import push\n"
        "push(Path(folder), 'org/named', words=['tokenizer', 'adapter'])"
    )
    with nothing_asked(serving):
        answer = worker.script(script, token=ANA, folder=llama.lora)
    assert answer.code == 1
    assert "[word 2]_config.json: the name of the file: word 2" in answer.err


def test_what_is_nothing_of_editkits(worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path) -> None:
    (tmp_path / "p.safetensors").write_bytes(llama.file.read_bytes())
    with nothing_asked(serving):
        for place, said in (
            (llama.base, "this is no folder that editkit wrote"),
            (tmp_path / "p.safetensors", "call it p.editkit.safetensors"),
            (llama.base / "config.json", "no patch"),
        ):
            answer = worker.call("push", place, "org/what", token=ANA)
            assert answer.code == 1
            assert said in answer.err


def test_a_repository_nobody_may_see_is_not_made_again(worker: Worker, serving: Hub, llama: Shipped) -> None:
    serving.repositories["ben/own"] = Repository.new("ben/own", private=True)
    serving.users["hf_ben2"] = replace(serving.users[BEN], orgs=("ben", "org"))
    answer = worker.call("push", llama.lora, "ben/own", token=ANA)
    assert answer.code == 1
    assert "the token may not do that there" in answer.err
