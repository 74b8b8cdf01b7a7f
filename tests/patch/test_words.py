"""A masked word can't be guessed without the key, and the key stays with its user."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from editkit.errors import OutputError, UsageError
from editkit.patch import words
from editkit.patch.words import Privacy, key_for, keyed_digest, local_key, mask

KEY = bytes(range(32))


def test_a_hash_is_the_known_one() -> None:
    # echo -n gun | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102..1f
    assert mask("gun", "hash", KEY) == "hmac-509147d2f9ee2352"


def test_a_hash_hides_the_word() -> None:
    hashed = mask("gun", "hash", KEY)
    assert "gun" not in hashed
    assert sha256(b"gun").hexdigest()[:16] not in hashed
    assert hashed != mask("gun", "hash", KEY[::-1])
    assert hashed != mask("guns", "hash", KEY)


def test_one_word_has_one_hash_however_it_is_encoded() -> None:
    assert mask("caf\u00e9", "hash", KEY) == mask("cafe\u0301", "hash", KEY)


def test_plain_and_omitted_words() -> None:
    assert mask("gun", "plain", KEY) == "gun"
    assert mask("gun", "omit", KEY) == mask("fork", "omit", KEY) == "[omitted]"


@pytest.mark.parametrize("how", ["hash", "omit"])
def test_a_digest_of_a_recipe_can_not_be_guessed(how: Privacy) -> None:
    digest = sha256(b"suppress: gun").hexdigest()
    keyed = keyed_digest(digest, how, KEY)
    assert len(bytes.fromhex(keyed)) == 32
    assert keyed not in (digest, keyed_digest(digest, how, KEY[::-1]))
    assert keyed_digest(digest, "plain", KEY) == digest


def test_no_key_is_made_where_nothing_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITKIT_HOME", str(tmp_path / "home"))
    assert key_for("plain") == b""
    assert not (tmp_path / "home").exists()
    assert key_for("omit") == key_for("hash") == local_key()


def test_the_key_is_made_once_for_its_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITKIT_HOME", str(tmp_path / "new" / "home"))
    key = local_key()
    assert len(key) == 32
    assert local_key() == key
    file = tmp_path / "new" / "home" / "key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["key"]
    assert local_key(tmp_path / "other") != key


def test_the_default_home_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDITKIT_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert local_key() == bytes.fromhex((tmp_path / ".config" / "editkit" / "key").read_text())


def test_two_at_once_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(local_key, [tmp_path] * 32))
    assert len(keys) == 1
    words._make(tmp_path / "key")
    assert {local_key(tmp_path)} == keys


@pytest.mark.parametrize("content", [b"", b"secret", b"00" * 31, b"\xff\xfe"])
def test_something_else_in_its_place_is_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(UsageError, match="not a key of editkit's; move it away"):
        local_key(tmp_path)
    assert (tmp_path / "key").read_bytes() == content


def test_a_home_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="set EDITKIT_HOME"):
        local_key(tmp_path / "file")
