"""Signatures: made and checked offline with real keys; any change and any other key is refused."""

from __future__ import annotations

import datetime
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from editkit.errors import OutputError, PatchError, UsageError
from editkit.export.signing import SIGNATURE, check_signature, sign

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP384R1())
DAY = datetime.timedelta(days=1)


def pem(key: Any, password: bytes | None = None) -> bytes:
    locked: Any = serialization.NoEncryption()
    if password:
        locked = serialization.BestAvailableEncryption(password)
    form = serialization.PrivateFormat.PKCS8
    return bytes(key.private_bytes(serialization.Encoding.PEM, form, locked))


def public(key: Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))


def certificate(key: Any, name: str, issuer: Any = None, *, signs: bool = True) -> Any:
    """Of `key`, signed by `issuer` (certificate, key) or by itself; what does not sign issues others."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    above, with_key = (subject, key) if issuer is None else (issuer[0].subject, issuer[1])
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(signs, False, False, False, False, not signs, not signs, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=not signs, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(with_key, hashes.SHA256())
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "nogun of mine"
    (made / "inner").mkdir(parents=True)
    (made / "README.md").write_text("text\n")
    (made / "inner" / "a.bin").write_bytes(bytes(range(256)))
    return made


@pytest.fixture
def keys(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def write(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


@pytest.fixture
def signed(folder: Path, keys: Any) -> Path:
    assert sign(folder, private_key=keys("key.pem", pem(KEY))) == folder / SIGNATURE
    keys("key.pub", public(KEY))
    return folder


def test_a_signed_folder_is_what_its_key_says(signed: Path, tmp_path: Path) -> None:
    check_signature(signed, public_key=tmp_path / "key.pub")


def test_it_may_be_moved_and_linked_as_the_hubs_cache_does(signed: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(signed, moved)
    (moved / "README.md").unlink()
    (moved / "README.md").symlink_to(signed / "README.md")
    (moved / ".gitattributes").write_text("of the Hub")
    check_signature(moved, public_key=tmp_path / "key.pub")


def test_the_folders_name_is_not_in_the_signature(signed: Path) -> None:
    import base64

    bundle = json.loads((signed / SIGNATURE).read_text())
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    assert b"README.md" in payload
    assert b"gun" not in payload


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda folder: _flip(folder / "inner" / "a.bin", 100), "inner/a.bin"),
        (lambda folder: (folder / "README.md").write_text("text"), "README.md"),
        (lambda folder: (folder / "more.txt").write_text(""), r"more.txt \(extra\)"),
        (lambda folder: (folder / "README.md").unlink(), r"README.md \(missing\)"),
    ],
)
def test_any_change_is_found(signed: Path, tmp_path: Path, change: Any, named: str) -> None:
    change(signed)
    with pytest.raises(PatchError, match=f"not as it was signed: {named}$"):
        check_signature(signed, public_key=tmp_path / "key.pub")


def test_another_key_is_refused(signed: Path, keys: Any) -> None:
    with pytest.raises(PatchError, match="not a signature that this key or certificate made"):
        check_signature(signed, public_key=keys("other.pub", public(OTHER)))


def test_a_folder_without_a_signature_is_refused(folder: Path, keys: Any) -> None:
    with pytest.raises(PatchError, match=r"not signed: it has no model\.sig"):
        check_signature(folder, public_key=keys("key.pub", public(KEY)))


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"verificationMaterial": {}}'])
def test_a_damaged_signature_is_refused(signed: Path, tmp_path: Path, content: bytes) -> None:
    (signed / SIGNATURE).write_bytes(content)
    with pytest.raises(PatchError, match=r"model\.sig: not a signature"):
        check_signature(signed, public_key=tmp_path / "key.pub")


def test_every_changed_byte_of_what_was_signed_is_refused(signed: Path, tmp_path: Path) -> None:
    bundle = json.loads((signed / SIGNATURE).read_text())
    payload = bundle["dsseEnvelope"]["payload"]
    for at in range(0, len(payload) - 4, 97):
        other = "B" if payload[at] == "A" else "A"
        bundle["dsseEnvelope"]["payload"] = payload[:at] + other + payload[at + 1 :]
        (signed / SIGNATURE).write_text(json.dumps(bundle))
        with pytest.raises(PatchError):
            check_signature(signed, public_key=tmp_path / "key.pub")


def test_a_locked_key_wants_its_password(folder: Path, keys: Any) -> None:
    locked = keys("locked.pem", pem(KEY, b"secret"))
    for password in (None, "wrong"):
        with pytest.raises(UsageError, match=r"locked\.pem: can't be signed with"):
            sign(folder, private_key=locked, password=password)
    assert not (folder / SIGNATURE).exists()
    sign(folder, private_key=locked, password="secret")
    check_signature(folder, public_key=keys("key.pub", public(KEY)))


def test_other_keys_can_not_sign(folder: Path, keys: Any) -> None:
    for name, content in (
        ("rsa.pem", pem(rsa.generate_private_key(65537, 2048))),
        ("curve.pem", pem(ec.generate_private_key(ec.SECP256K1()))),
        ("text.pem", b"no key"),
    ):
        with pytest.raises(UsageError, match=name):
            sign(folder, private_key=keys(name, content))
    with pytest.raises(UsageError, match="No such file"):
        sign(folder, private_key=folder / "nowhere.pem")


def test_a_certificate_leads_to_a_root(folder: Path, keys: Any) -> None:
    root_key, middle_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate(root_key, "root", signs=False)
    middle = certificate(middle_key, "middle", (root, root_key), signs=False)
    own = certificate(KEY, "me", (middle, middle_key))
    named = {"root.crt": root, "middle.crt": middle, "own.crt": own}
    place = {name: keys(name, one.public_bytes(serialization.Encoding.PEM)) for name, one in named.items()}
    sign(
        folder,
        private_key=keys("key.pem", pem(KEY)),
        certificate=place["own.crt"],
        chain=[place["middle.crt"]],
    )
    check_signature(folder, certificates=[place["root.crt"]])
    stranger = certificate(OTHER, "root", signs=False).public_bytes(serialization.Encoding.PEM)
    with pytest.raises(PatchError, match="not a signature that this key or certificate made"):
        check_signature(folder, certificates=[keys("stranger.crt", stranger)])
    with pytest.raises(PatchError, match="not a signature"):
        check_signature(folder, public_key=keys("other.pub", public(OTHER)))
    _flip(folder / "README.md", 0)
    with pytest.raises(PatchError, match="not as it was signed"):
        check_signature(folder, certificates=[place["root.crt"]])


def test_a_certificate_of_another_key_can_not_sign(folder: Path, keys: Any) -> None:
    own = certificate(OTHER, "me").public_bytes(serialization.Encoding.PEM)
    with pytest.raises(UsageError, match="a certificate of another key"):
        sign(folder, private_key=keys("key.pem", pem(KEY)), certificate=keys("own.crt", own))


def test_one_key_or_certificate_is_asked_for(signed: Path, keys: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one of both"):
        check_signature(signed)
    with pytest.raises(UsageError, match="no such file"):
        check_signature(signed, public_key=tmp_path / "nowhere.pub")
    with pytest.raises(UsageError, match="no public key or certificate in PEM"):
        check_signature(signed, public_key=keys("text.pub", b"no key"))


def test_without_the_extra_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "model_signing", None)
    with pytest.raises(UsageError, match=r"pip install 'editkit\[sign\]'"):
        sign(folder, private_key=folder / "key.pem")


def test_links_are_not_signed(folder: Path, keys: Any, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("a")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="can't be signed"):
        sign(folder, private_key=keys("key.pem", pem(KEY)))
    assert not (folder / SIGNATURE).exists()
