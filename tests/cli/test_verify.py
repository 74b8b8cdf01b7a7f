"""`editkit verify` and `show` from a shell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from editkit.patch.algebra import inverted
from editkit.patch.file import Patch
from editkit.patch.manifest import MANIFEST, digest_of
from tests.merging import contents, patch_on, w_out

A, B, C = (f"{name}.editkit.safetensors" for name in "abc")


def sentence(answer: Any, code: int) -> str:
    """What a refusal says, in one line and nothing else."""
    assert (answer.code, answer.out) == (code, "")
    (line,) = answer.err.splitlines()
    assert "bug" not in line
    return str(line)


def last(answer: Any) -> str:
    """The last line on stderr, below the stages of the work."""
    return str(answer.err.splitlines()[-1])


# verify


def test_a_patch_is_checked_as_far_as_something_is_given(call: Any, base: Path, tmp_path: Path) -> None:
    digest = digest_of(tmp_path / A)
    bare = call("verify", A, "--json").document
    assert (bare["status"], bare["kind"], bare["digest"], bare["wrong"]) == ("done", "patch", digest, [])
    assert [len(bare["checked"]), len(bare["unchecked"])] == [1, 2]
    whole = call("verify", A, "--base", base, "--digest", digest, "--json")
    assert (whole.code, len(whole.document["checked"]), whole.document["unchecked"]) == (0, 3, [])
    answer = call("verify", A, "-q")
    assert (answer.code, answer.out, answer.err) == (0, f"{digest}\n", "")
    answer = call("verify", A, "--digest", "0" * 64)
    assert (answer.code, answer.out) == (1, "")
    assert digest in last(answer)
    assert call("verify", B, "--base", base).code == 0  # a rejected edit is what it says it is
    (base / "config.json").write_text((base / "config.json").read_text() + " ")
    answer = call("verify", A, "--base", base)
    assert (answer.code, "its config.json is not that of the patch's base" in last(answer)) == (1, True)


def test_a_folder_says_what_was_checked_and_what_was_not(call: Any, base: Path, merged: str) -> None:
    answer = call("verify", merged)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].startswith("m: merged, 6 files, ")
    assert [line.split("  ")[1] for line in lines[1:]] == [*["checked"] * 3, *["not checked"] * 3, "SHA-256"]
    document = call(
        "verify", merged, "--base", base, "--digest", digest_of(Path("m") / MANIFEST), "--json"
    ).document
    assert document["unchecked"] == ["who made it: it is not signed"]
    answer = call("verify", merged, "--digest", "0" * 64)
    assert (answer.code, "the SHA-256 of editkit.json is " in last(answer)) == (1, True)


@pytest.mark.parametrize("form", ["--merged", "--lora", "--hub"])
def test_any_change_of_a_folder_is_one_sentence(call: Any, base: Path, form: str, tmp_path: Path) -> None:
    assert call("export", A, "--base", base, form, "out").code == 0
    assert call("verify", "out", "-q").code == 0
    for path in [path for path in (tmp_path / "out").rglob("*") if path.is_file()]:
        whole = path.read_bytes()
        path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
        answer = call("verify", "out", "-q")
        assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 1)
        document = call("verify", "out", "--json")
        assert (document.code, document.document["status"]) == (1, "failed")
        assert document.document["error"] in document.err
        path.write_bytes(whole)
    (tmp_path / "out" / "extra").touch()
    assert "extra: is not one of the folder's files" in last(call("verify", "out"))


def test_many_things_that_are_wrong_are_one_sentence(call: Any, merged: str, tmp_path: Path) -> None:
    for at in range(9):
        (tmp_path / merged / f"extra{at}").touch()
    answer = call("verify", merged, "-q")
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert answer.err.endswith("; and 6 more\n")
    assert len(call("verify", merged, "--json").document["wrong"]) == 9


def test_a_file_of_which_nothing_is_known(
    call: Any, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editkit.export.rewriting.SMALL_BYTES", 20_000)
    assert call("export", A, "--base", base, "--merged", "m", "--no-digests").code == 0
    answer = call("verify", "m")
    assert (answer.code, answer.out) == (1, "")
    assert last(answer) == (
        "error: m: 1 file without a SHA-256 in editkit.json (model.safetensors): give the base with --base"
    )
    assert call("verify", "m", "--base", base).code == 0


def test_signatures(call: Any, merged: str, tmp_path: Path) -> None:
    for name in ("mine", "other"):
        key = ec.generate_private_key(ec.SECP256R1())
        form, nothing = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (tmp_path / f"{name}.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, nothing))
        form_of_public = serialization.PublicFormat.SubjectPublicKeyInfo
        public = key.public_key().public_bytes(serialization.Encoding.PEM, form_of_public)
        (tmp_path / f"{name}.pub").write_bytes(public)
    assert "not signed" in last(call("verify", merged, "--public-key", "mine.pub"))
    assert call("sign", merged, "--private-key", "mine.pem").code == 0
    unasked = call("verify", merged, "--json").document["unchecked"]
    assert "the signature (--public-key or --certificate)" in unasked
    answer = call("verify", merged, "--public-key", "mine.pub", "--json")
    assert (answer.code, "the signature in model.sig" in answer.document["checked"]) == (0, True)
    answer = call("verify", merged, "--public-key", "other.pub")
    assert (answer.code, "not a signature that this key" in last(answer)) == (1, True)
    answer = call("verify", merged, "--certificate", "mine.pub")
    assert answer.code == 2
    (tmp_path / merged / "config.json").write_text("{}")
    answer = call("verify", merged, "--public-key", "mine.pub", "-q")
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert "not as it was signed: config.json" in answer.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "Missing argument"),
        (["none"], 1, "none: the patch can't be read"),
        (["base"], 1, "this is no folder that editkit wrote"),
        (["base/config.json"], 1, "no patch, or a damaged one"),
        ([A, "--digest", "abc"], 2, "no SHA-256"),
        ([A, "--base", "nowhere"], 1, "no such folder"),
        ([A, "--public-key", "key"], 2, "signatures are of folders"),
        (["base", "--public-key", "key", "--certificate", "root"], 2, "one of both"),
    ],
)
def test_what_can_not_be_verified(call: Any, base: Path, words: list[str], code: int, said: str) -> None:
    assert said in sentence(call("verify", *words), code)


# show


def test_merged_and_inverted_patches_say_so(call: Any, base: Path, tmp_path: Path) -> None:
    assert call("merge", A, B, "--base", base, "-o", "ab").code == 0
    made_of = call("show", "ab", "--json").document["made_of"]
    assert [one["digest"] for one in made_of] == sorted(Patch.load(tmp_path / n).digest for n in (A, B))
    assert all(one["locate"]["name"] == "listed" for one in made_of)
    assert "made of  2 patches" in call("show", "ab").out
    inverted(Patch.load(tmp_path / B)).save(tmp_path / "back")
    document = call("show", "back", "--json").document
    assert (document["undoes"]["name"], document["undoes"]["accepted"]) == ("gradient", False)
    assert "undoes   gradient, rejected" in call("show", "back").out
    plain = call("show", A, "--json").document
    assert (plain["made_of"], plain["undoes"]) == (None, None)


def test_a_folder_and_the_patches_in_it(call: Any, base: Path, merged: str, tmp_path: Path) -> None:
    patch_on(tmp_path / merged, w_out(base), (4,), seed=9).save(tmp_path / "e")
    assert call("export", "e", "--base", merged, "--merged", "both").code == 0
    document = call("show", "both", "--json").document
    assert (document["kind"], document["files"]) == ("merged", len(contents(tmp_path / "both")) - 1)
    assert [one["digest"] for one in document["patches"]] == [
        Patch.load(tmp_path / name).digest for name in (A, "e")
    ]
    out = call("show", "both").out
    assert "folder   both: merged, " in out
    assert "patch 2 of 2" in out
    assert "no folder that editkit wrote" in sentence(call("show", base), 1)
    (tmp_path / merged / "editkit" / A).unlink()
    assert "can't be read" in sentence(call("show", merged), 1)


def test_no_torch_where_none_is_needed(base: Path, merged: str, tmp_path: Path) -> None:
    lines = [
        ["verify", merged, "--base", "base"],
        ["show", merged],
        ["diff", A, C],
        ["merge", A, B, "--base", "base"],
    ]
    code = f"import sys; from editkit.cli.main import run; print([run(line) for line in {lines!r}]);"
    code += "print(sorted({'torch', 'transformers', 'mlflow'} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines()[-2:] == ["[0, 0, 3, 0]", "[]"]
