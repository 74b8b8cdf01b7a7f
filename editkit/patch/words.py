"""Words that a patch must not spell out: shown, digested with a local key, or left out."""

from __future__ import annotations

import hmac
import os
import secrets
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from editkit.errors import OutputError, UsageError

Privacy = Literal["plain", "hash", "omit"]
KEY_BYTES: Final = 32
OMITTED: Final = "[omitted]"


def mask(word: str, how: Privacy, key: bytes) -> str:
    """The word as others may see it. Only who has `key` can tell which word a hash stands for: a plain hash
    would be found by trying a dictionary."""
    if how == "plain":
        return word
    if how == "omit":
        return OMITTED
    same = unicodedata.normalize("NFC", word).encode("utf-8", "surrogatepass")
    return f"hmac-{hmac.new(key, same, sha256).hexdigest()[:16]}"


def described(kind: str, sources: Iterable[str], target: str | None, how: Privacy) -> str:
    """An edit for people, its words masked."""
    key = key_for(how)
    words = ", ".join(mask(word, how, key) for word in sources)
    return f"{kind} {words} -> {mask(target, how, key) if target is not None else 'the next best'}"


def keyed_digest(digest: str, how: Privacy, key: bytes) -> str:
    """A recipe's digest as others may see it, 64 hex digits.

    A recipe holds the word: who has its other lines could try a dictionary on a plain digest.
    """
    return digest if how == "plain" else hmac.new(key, digest.encode("ascii"), sha256).hexdigest()


def key_for(how: Privacy) -> bytes:
    """The local key, empty where nothing is hidden.

    Raises:
        OutputError, UsageError: see `local_key`.
    """
    return b"" if how == "plain" else local_key()


def kept_key() -> bytes:
    """The local key where there is one, else empty: none is made.

    Raises:
        OutputError, UsageError: see `local_key`.
    """
    return local_key() if _place(None).exists() else b""


def _place(home: Path | None) -> Path:
    return (home or Path(os.environ.get("EDITKIT_HOME") or Path.home() / ".config" / "editkit")) / "key"


def local_key(home: Path | None = None) -> bytes:
    """This user's key, made at first use: `key` in `home`, `$EDITKIT_HOME` or `~/.config/editkit`.

    Raises:
        OutputError: it can't be read or made.
        UsageError: something else stands in its file.
    """
    path = _place(home)
    try:
        if not path.exists():
            _make(path)
        text = path.read_text("ascii").strip()
    except OSError as error:
        raise OutputError(
            f"{path}: the key for masked words can't be kept there ({error.strerror}); set EDITKIT_HOME"
        ) from error
    except UnicodeDecodeError:
        text = ""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError(f"{path}: not a key of editkit's; move it away and a new one is made")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".key.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(KEY_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        # A link, unlike a rename, never replaces the key another process made in the meantime.
        with suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink()
