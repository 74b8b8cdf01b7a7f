"""One name gives the edited model: whatever kind of repository, with its base pinned and checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.hub import COMMIT, Answer, Hub, Repository, Worker
from tests.hub.fixtures import ANA, Shipped
from tests.hub.repository import Blob

LOAD = """
import editkit, torch
from transformers import AutoModelForCausalLM
settings = {"dtype": getattr(torch, dtype)} if dtype else {}
model = editkit.from_pretrained(name, base=base, **settings)
wanted = AutoModelForCausalLM.from_pretrained(plain, dtype=dtype or "auto")
with editkit.patched(wanted, editkit.Patch.load(file)):
    one, other = model.state_dict(), wanted.state_dict()
    value = list(one) == list(other) and all(torch.equal(one[name], other[name]) for name in one)
"""


@pytest.fixture(scope="module")
def llama(shipped: Callable[..., Shipped]) -> Shipped:
    return shipped("llama")


@pytest.fixture(scope="module")
def pushed(worker: Worker, llama: Shipped) -> Callable[[str], str]:
    """The name on the Hub of an edit of this kind."""

    def find(kind: str) -> str:
        name = f"org/load-{kind}"
        assert worker.call("push", llama.form(kind), name, token=ANA).code == 0
        return name

    return find


def loaded(
    worker: Worker, llama: Shipped, name: str | Path, base: str | None = None, dtype: str | None = None
) -> Answer:
    return worker.script(LOAD, name=name, base=base, plain=llama.base, file=llama.file, dtype=dtype)


@pytest.mark.parametrize("kind", ["hub", "lora", "merged", "patch"])
def test_a_name_a_folder_or_a_file_gives_the_edited_model(
    worker: Worker, serving: Hub, llama: Shipped, pushed: Callable[[str], str], kind: str
) -> None:
    before = len(serving.requests)
    name = pushed(kind)
    answer = loaded(worker, llama, name)
    assert answer.value is True, answer.err
    asked = [path for _, path, _ in serving.requests[before:]]
    fetched = {path.rsplit("/", 1)[1] for path in asked if path.startswith(f"/{name}/resolve/")}
    assert "adapter_model.safetensors" not in fetched
    assert ("model.safetensors" in fetched) == (kind == "merged")
    assert loaded(worker, llama, llama.form(kind)).value is True


def test_a_private_edit_of_a_private_base_needs_a_token(
    worker: Worker, serving: Hub, shipped: Callable[..., Shipped]
) -> None:
    gpt2 = shipped("gpt2")
    serving.repositories[gpt2.base_name].private = True
    assert worker.call("push", gpt2.lora, "org/own", "--private", token=ANA).code == 0
    load = "import editkit; editkit.from_pretrained(name, token=given)"
    refused = worker.script(load, name="org/own", given=None)
    assert refused.err.startswith("org/own: no such repository on the Hub, or a private one")
    allowed = worker.script(load, name="org/own", given=ANA)
    assert allowed.code == 0, allowed.err


def test_settings_reach_transformers(worker: Worker, llama: Shipped, pushed: Callable[[str], str]) -> None:
    assert loaded(worker, llama, pushed("hub"), dtype="bfloat16").value is True


def test_what_is_in_the_cache_is_loaded_without_a_network(
    worker: Worker, serving: Hub, llama: Shipped, pushed: Callable[[str], str]
) -> None:
    names = [pushed(kind) for kind in ("hub", "merged")]
    for name in names:
        assert loaded(worker, llama, name).value is True
    offline = "import huggingface_hub.constants as here; here.HF_HUB_OFFLINE = {}"
    before = len(serving.requests)
    try:
        assert worker.script(offline.format(True)).code == 0
        assert [loaded(worker, llama, name).value for name in names] == [True, True]
        assert serving.requests[before:] == []
    finally:
        assert worker.script(offline.format(False)).code == 0


def test_the_base_stays_at_the_commit_that_the_edit_was_made_on(
    worker: Worker, serving: Hub, llama: Shipped, pushed: Callable[[str], str]
) -> None:
    repository = serving.repositories[llama.base_name]
    better = {**repository.files, "model.safetensors": Blob(b"another model")}
    repository.commit("main", better, "a better model")
    try:
        assert loaded(worker, llama, f"{pushed('patch')}@main").value is True
        other = loaded(worker, llama, pushed("patch"), base=f"{llama.base_name}@main")
        assert other.code == 1
        assert "model.safetensors" in other.err
    finally:
        repository.refs["main"] = COMMIT


def test_a_base_elsewhere_is_checked(
    worker: Worker, llama: Shipped, shipped: Callable[..., Shipped], pushed: Callable[[str], str]
) -> None:
    assert loaded(worker, llama, pushed("hub"), base=str(llama.base)).value is True
    differs = loaded(worker, llama, pushed("hub"), base=str(shipped("gpt2").base))
    assert (differs.code, differs.err.partition(":")[0]) == (1, "base differs")
    nowhere = loaded(worker, llama, pushed("hub"), base="org/nowhere")
    assert nowhere.code == 1
    assert nowhere.err.startswith("org/nowhere: no such repository on the Hub, or a private one")


def test_a_base_without_a_name_has_to_be_given(worker: Worker, llama: Shipped, tmp_path: Path) -> None:
    local = replace(llama.patch, base=replace(llama.patch.base, id="sha256:" + "0" * 64, revision=None))
    local.save(tmp_path / "local.editkit.safetensors")
    answer = loaded(worker, llama, tmp_path / "local.editkit.safetensors")
    assert answer.code == 1
    assert answer.err == (
        "the edit was made on a local checkpoint, which has no public name: give its folder as base="
    )
    given = worker.script(
        LOAD, name=tmp_path, base=str(llama.base), plain=llama.base, file=llama.file, dtype=None
    )
    assert given.value is True, given.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("org/llama", "org/llama: no patch of editkit's is in it: of a plain model, give the patch as well"),
        ("demo/scenes", "demo/scenes: no patch of editkit's is in it"),
        ("org/load-hub@v9", "org/load-hub: has no revision v9 on the Hub"),
        ("./nowhere", "./nowhere: no such folder or patch, and no Hub name (org/name) either"),
        ("a/b/c", "a/b/c: no such folder or patch, and no Hub name"),
        ("org/edit@", "'org/edit@': no such folder, and no Hub name"),
    ],
)
def test_what_has_no_edit_in_it(
    worker: Worker, llama: Shipped, pushed: Callable[[str], str], name: str, said: str
) -> None:
    pushed("hub")
    answer = loaded(worker, llama, name)
    assert answer.code == 1
    assert answer.err.startswith(said)
    assert len(answer.err.splitlines()) == 1


def test_two_patches_and_no_order(worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path) -> None:
    for name in ("a", "b"):
        llama.patch.save(tmp_path / f"{name}.editkit.safetensors")
    serving.repositories["org/two"] = Repository.of("org/two", tmp_path)
    for place in (tmp_path, "org/two"):
        answer = loaded(worker, llama, place)
        assert answer.code == 1
        assert "2 patches are in it, and nothing says in which order" in answer.err


def copied(source: Path, target: Path) -> Path:
    for path in source.rglob("*"):
        if path.is_file():
            (target / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (target / path.relative_to(source)).write_bytes(path.read_bytes())
    return target


def test_a_merged_folder_whose_edit_was_taken_out(worker: Worker, llama: Shipped, tmp_path: Path) -> None:
    folder = copied(llama.merged, tmp_path / "merged")
    (folder / "model.safetensors").write_bytes((llama.base / "model.safetensors").read_bytes())
    answer = loaded(worker, llama, folder)
    assert answer.code == 1
    assert "is not what the patch in it makes of it" in answer.err


@pytest.mark.parametrize("change", ["patch", "base", "none", "json"])
def test_a_description_that_does_not_fit(
    worker: Worker, llama: Shipped, shipped: Callable[..., Shipped], tmp_path: Path, change: str
) -> None:
    folder = copied(llama.lora, tmp_path / "lora")
    document: dict[str, Any] = json.loads((folder / "editkit.json").read_text())
    if change == "patch":
        shipped("llama", 4).patch.save(folder / "edit.editkit.safetensors")
    elif change == "base":
        document["base"]["id"] = "org/other"
    elif change == "none":
        document["patches"] = []
    text = json.dumps(document, indent=2, sort_keys=True) + "\n"
    (folder / "editkit.json").write_text("{" if change == "json" else text)
    answer = loaded(worker, llama, folder)
    assert answer.code == 1
    said = {
        "patch": "is not the patch that its editkit.json names",
        "base": "was made on another base than its editkit.json says",
        "none": "names no patch",
        "json": "editkit.json",
    }
    assert said[change] in answer.err
    assert len(answer.err.splitlines()) == 1


def test_several_edits_in_one_merged_folder(
    worker: Worker, llama: Shipped, shipped: Callable[..., Shipped], tmp_path: Path
) -> None:
    from editkit.checkpoint import Checkpoint
    from editkit.export.merged import export_merged

    second = shipped("llama", 5).patch
    export_merged(second, Checkpoint.open(llama.merged), tmp_path / "both", name="second")
    answer = worker.script(
        "import editkit; value = len(list(editkit.from_pretrained(name).parameters()))",
        name=tmp_path / "both",
    )
    assert answer.code == 0, answer.err
    weights = tmp_path / "both" / "model.safetensors"
    weights.write_bytes((llama.merged / "model.safetensors").read_bytes())
    answer = worker.script("import editkit; editkit.from_pretrained(name)", name=tmp_path / "both")
    assert answer.code == 1
    assert "is not as edited" in answer.err
