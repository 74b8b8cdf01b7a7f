"""`editkit export` and `editkit revert` from a shell."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from editkit.checkpoint import Checkpoint
from editkit.patch.file import Patch
from editkit.patch.manifest import Manifest
from tests.merging import contents, differing, patch_on, w_out


@pytest.fixture
def base(tiny_checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    shutil.copytree(tiny_checkpoint("llama", "bfloat16"), folder)
    return folder


@pytest.fixture
def patch(base: Path, tmp_path: Path) -> Path:
    patch_on(base, w_out(base)).save(tmp_path / "redact.editkit.safetensors")
    return tmp_path / "redact.editkit.safetensors"


def test_there_and_back(call: Any, base: Path, patch: Path, tmp_path: Path) -> None:
    answer = call("export", patch, "--base", base, "--merged", "ö ut", "--json")
    assert answer.code == 0
    made = contents(tmp_path / "ö ut")
    assert answer.document == {
        "status": "done",
        "exports": [
            {
                "kind": "merged",
                "folder": "ö ut",
                "files": len(made),
                "bytes": sum(map(len, made.values())),
                "notes": [],
            }
        ],
    }
    assert "editkit/redact.editkit.safetensors" in made
    assert differing(base, tmp_path / "ö ut") == set(w_out(base))
    document = call("--json", "revert", "ö ut", "-o", "back").document
    assert (document["status"], document["folder"]) == ("done", "back")
    assert (document["patches"], document["kept"]) == ([Patch.load(patch).digest], [])
    assert contents(tmp_path / "back") == contents(base)
    answer = call("-q", "revert", "ö ut", patch, "-o", "again")
    assert (answer.code, answer.out, answer.err) == (0, "again\n", "")


def test_for_people_and_for_scripts(call: Any, base: Path, patch: Path) -> None:
    (base / "pytorch_model.bin").write_bytes(b"pickle")
    answer = call("export", patch, "--base", base, "--merged", "out")
    assert answer.out.startswith("out: merged, ")
    assert "left out, because the edit is not in them: pytorch_model.bin" in answer.out
    answer = call("export", patch, "--base", base, "--merged", "out2", "-q", "--no-digests")
    assert (answer.out, answer.err) == ("out2\n", "")
    assert "1 taken out" in call("revert", "out", "-o", "back").out


def test_several_forms_at_once(call: Any, base: Path, patch: Path, tmp_path: Path) -> None:
    answer = call("export", patch, "--base", base, "--merged", "m", "--lora", "l", "--hub", "h", "--json")
    assert answer.code == 0, answer.err
    assert [one["kind"] for one in answer.document["exports"]] == ["merged", "lora", "hub"]
    for name, kind in (("m", "merged"), ("l", "lora"), ("h", "hub")):
        assert Manifest.read(tmp_path / name).kind == kind


def test_several_patches_are_one(call: Any, base: Path, patch: Path, tmp_path: Path) -> None:
    patch_on(base, w_out(base), (2, 5), seed=1).save(tmp_path / "b.safetensors")
    answer = call("export", patch, "b.safetensors", "--base", base, "--merged", "out")
    assert answer.code == 1
    assert len(answer.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    answer = call("export", patch, "b.safetensors", "--base", base, "--merged", "out", "--overlap", "last")
    assert answer.code == 0, answer.err
    [(name, _)] = Manifest.read(tmp_path / "out").patches
    assert name == "editkit/edit.editkit.safetensors"
    [first, *_] = Patch.load(tmp_path / "out" / name).entries
    assert first.neurons.tolist() == [1, 2, 5, 30]
    rows = Checkpoint.open(tmp_path / "out").read_rows(first.tensor, first.neurons, first.orientation)
    assert rows.tobytes() == first.edited.tobytes()


def test_a_rejected_edit_needs_a_word(call: Any, base: Path, tmp_path: Path) -> None:
    patch_on(base, w_out(base), accepted=False).save(tmp_path / "p")
    answer = call("export", "p", "--base", base, "--merged", "out", "--force")
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert "--allow-rejected" in answer.err
    assert call("export", "p", "--base", base, "--merged", "out", "--allow-rejected").code == 0


def test_force_replaces_what_editkit_wrote(call: Any, base: Path, patch: Path, tmp_path: Path) -> None:
    words = ("export", patch, "--base", base, "--merged", "out")
    assert call(*words).code == 0
    answer = call(*words)
    assert (answer.code, "is there already" in answer.err) == (1, True)
    assert call(*words, "--force").code == 0
    (tmp_path / "out" / "editkit.json").unlink()
    before = contents(tmp_path / "out")
    answer = call(*words, "--force")
    assert (answer.code, "nothing that editkit wrote" in answer.err) == (1, True)
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "which patch"),
        (["p"], 2, "--merged DIR, --lora DIR or --hub DIR"),
        (["none", "--merged", "out"], 1, "can't be read"),
        (["p", "--merged", "out"], 1, "give its folder with --base"),
        (["p", "--merged", "out", "--base", "nowhere"], 1, "no such folder"),
        (["p", "--merged", "out", "--base", ""], 1, "no such folder"),
        (["p", "--merged", "out", "--base", "a@"], 1, "no such folder"),
        (["p", "--merged", "out", "--base", "pickled"], 1, "safe_serialization=True"),
        (["p", "--merged", "base", "--base", "base"], 1, "is there already"),
        (["p", "--merged", "base/x", "--base", "base"], 1, "is inside of the base's folder"),
        (["p", "--merged", "out", "--lora", "out", "--base", "base"], 1, "twice"),
        (["p", "--merged", "out", "--lora", "out/x", "--base", "base"], 1, "holds another place"),
        (["p", "--merged", "p/x", "--base", "base"], 1, "can't be written"),
        (["p", "--merged", "x" * 300, "--base", "base"], 1, "can't be written"),
        (["p", "--merged", "out", "--base", "base", "--overlap", "both"], 2, "'first', 'last', 'sum'"),
        (["p", "--merged", "out", "--base", "base", "--recipe", "none.yaml"], 2, "none.yaml"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    call: Any, base: Path, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    patch_on(base, w_out(base)).save(tmp_path / "p")
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "config.json").write_text("{}")
    (tmp_path / "pickled" / "pytorch_model.bin").touch()
    before = contents(tmp_path)
    answer = call("export", *words)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere", "-o", "out"], 1, "can't be read"),
        (["base", "-o", "out"], 1, "give the patch that is in it"),
        (["base", "p", "-o", "out"], 1, "nothing to take out"),
        (["base"], 2, "-o"),
        (["base", "none", "-o", "out"], 1, "can't be read"),
        (["p", "-o", "out"], 1, "can't be read"),
    ],
)
def test_what_can_not_be_reverted_is_one_sentence(
    call: Any, base: Path, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    patch_on(base, w_out(base)).save(tmp_path / "p")
    answer = call("revert", *words)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
