"""Signing from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from editkit.checkpoint import Checkpoint
from editkit.export.merged import export_merged
from editkit.export.signing import check_signature
from editkit.model.editable import Editable

KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def folder(llama: Editable, random_rows: Any, patch_of: Any, tmp_path: Path) -> Path:
    """A folder as editkit writes one, and a key beside it."""
    made = tmp_path / "folder"
    export_merged(patch_of(llama, random_rows(llama, 1)), Checkpoint.open(llama.folder), made)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    for name, lock in (
        ("key.pem", serialization.NoEncryption()),
        ("locked.pem", serialization.BestAvailableEncryption(b"open")),
    ):
        (tmp_path / name).write_bytes(KEY.private_bytes(encoding, form, lock))
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "key.pub").write_bytes(KEY.public_key().public_bytes(encoding, public))
    return made


def test_it_signs_and_says_where(call: Any, folder: Path, tmp_path: Path) -> None:
    answer = call("sign", folder, "--private-key", tmp_path / "key.pem")
    assert answer.code == 0, answer.err
    assert "model.sig" in answer.out.replace("\n", "")
    check_signature(folder, public_key=tmp_path / "key.pub")
    quiet = call("sign", folder, "--private-key", tmp_path / "key.pem", "-q")
    assert quiet.out == f"{folder / 'model.sig'}\n"


def test_what_verify_would_refuse_is_not_signed(call: Any, folder: Path, tmp_path: Path) -> None:
    (folder / "more.txt").write_text("more")
    answer = call("sign", folder, "--private-key", tmp_path / "key.pem")
    assert answer.code == 1
    assert "more.txt" in answer.err
    assert "nothing was signed" in answer.err
    assert not (folder / "model.sig").exists()


def test_a_document_for_scripts(call: Any, folder: Path, tmp_path: Path) -> None:
    answer = call("sign", folder, "--private-key", tmp_path / "key.pem", "--json")
    assert answer.document == {
        "status": "done",
        "folder": str(folder),
        "signature": str(folder / "model.sig"),
    }


def test_a_password_comes_from_the_environment(
    call: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("sign", folder, "--private-key", tmp_path / "locked.pem", "--password-env", "MY_WORD")
    answer = call(*asked)
    assert (answer.code, "MY_WORD: no such environment variable" in answer.err) == (2, True)
    monkeypatch.setenv("MY_WORD", "wrong")
    answer = call(*asked)
    assert (answer.code, "the wrong password" in answer.err) == (2, True)
    monkeypatch.setenv("MY_WORD", "open")
    assert call(*asked).code == 0
    check_signature(folder, public_key=tmp_path / "key.pub")


def test_only_what_editkit_wrote_is_signed(call: Any, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    answer = call("sign", tmp_path / "other", "--private-key", tmp_path / "key.pem")
    assert answer.code == 1
    assert "this is no folder that editkit wrote" in answer.err
    assert list((tmp_path / "other").iterdir()) == []


def test_options_that_do_not_go_together(call: Any, folder: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    answer = call("sign", folder, "--private-key", key, "--chain", key)
    assert (answer.code, "--chain goes with --certificate" in answer.err) == (2, True)
    assert call("sign", folder).code == 2
    assert not (folder / "model.sig").exists()
