"""Signs a folder with a key, and checks such a signature: OpenSSF model-signing, offline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from editkit.atomic import write_whole
from editkit.errors import OutputError, PatchError, UsageError

if TYPE_CHECKING:
    from model_signing.hashing import Config

SIGNATURE: Final = "model.sig"
# The signature itself, and what the Hub and git add to a folder; nothing is loaded from these.
IGNORED: Final = (SIGNATURE, ".gitattributes", ".cache", ".git")
NAMED: Final = "editkit"  # what a signature calls the folder, whose own name may say more
MISMATCH: Final = "Signature mismatch"


def sign(
    folder: Path,
    *,
    private_key: Path,
    password: str | None = None,
    certificate: Path | None = None,
    chain: Sequence[Path] = (),
) -> Path:
    """Sign every file of a folder; the signature is written into it, and its place returned.

    Args:
        private_key: PEM, on the curves P-256, P-384 or P-521; `password` where it is encrypted.
        certificate: of that key; `chain`: those between it and a root that others trust, all PEM.

    Raises:
        UsageError: the extra is not installed, or the key or a certificate can't be used.
        OutputError: the folder can't be read or written.
    """
    modules = _modules()
    if certificate is not None and password is not None:
        raise UsageError(f"{private_key}: a key that goes with a certificate must not be encrypted")
    config = modules.signing.Config().set_hashing_config(_hashing())
    try:
        if certificate is None:
            # It hands a password on to a function that wants bytes.
            secret = None if password is None else password.encode()
            config.use_elliptic_key_signer(private_key=private_key, password=secret)
        else:
            config.use_certificate_signer(
                private_key=private_key, signing_certificate=certificate, certificate_chain=chain
            )
    except OSError as error:
        raise UsageError(f"{error.filename}: can't be read ({error.strerror})") from error
    except Exception as error:  # what the libraries below raise of somebody's file
        raise UsageError(
            f"{private_key}: can't be signed with: no key on P-256, P-384 or P-521 in PEM, the wrong "
            "password, or a certificate of another key"
        ) from error
    with TemporaryDirectory() as beside:
        made = Path(beside) / SIGNATURE
        try:
            config.sign(folder.resolve(), made)
        except (OSError, ValueError) as error:
            raise OutputError(f"{folder}: can't be signed ({_first(error)})") from error
        write_whole(folder / SIGNATURE, [made.read_bytes()])
    return folder / SIGNATURE


def check_signature(
    folder: Path, *, public_key: Path | None = None, certificates: Sequence[Path] = ()
) -> None:
    """Compare every file of a folder with its signature, and the signature with a key.

    Args:
        public_key: PEM; or `certificates`: roots, PEM, that the signer's certificate must lead to.

    Raises:
        UsageError: the extra is not installed, or neither a key nor a certificate is given.
        PatchError: there is no signature, it is of another key, or a byte has changed.
    """
    if (public_key is None) is (not certificates):
        raise UsageError("give the public key of who signed, or a root certificate: one of both")
    modules, place = _modules(), folder / SIGNATURE
    if not place.is_file():
        raise PatchError(f"{folder}: not signed: it has no {SIGNATURE}")
    given = [public_key] if public_key else list(certificates)
    for path in given:
        if not path.is_file():
            raise UsageError(f"{path}: no such file")
    config = modules.verifying.Config().set_hashing_config(_hashing(follow=True))
    try:
        if public_key is not None:
            config.use_elliptic_key_verifier(public_key=public_key)
        else:
            config.use_certificate_verifier(certificate_chain=certificates)
    except Exception as error:  # what the libraries below raise of somebody's file
        raise UsageError(f"{given[0]}: no public key or certificate in PEM") from error
    try:
        config.verify(folder, place)
    except Exception as error:  # any byte of a signature may be anything, and many libraries read it
        if str(error).startswith(MISMATCH):
            raise PatchError(f"{folder}: not as it was signed: {_differing(str(error))}") from error
        raise PatchError(f"{place}: not a signature that this key or certificate made") from error


class _Modules:
    def __init__(self) -> None:
        from model_signing import signing, verifying

        self.signing: Any = signing
        self.verifying: Any = verifying


def _modules() -> _Modules:
    try:
        return _Modules()
    except ImportError as error:
        raise UsageError("signatures need one more package: pip install 'editkit[sign]'") from error


def _hashing(follow: bool = False) -> Config:
    """How files are hashed.

    Args:
        follow: links too, as the Hub's cache has them.
    """
    from model_signing import hashing, manifest

    class Named(hashing.Config):
        def hash(self, model_path: Any, *, files_to_hash: Any = None) -> Any:
            """As it is, but under another name: of folders one sees more than a name's owner may want."""
            found = super().hash(model_path, files_to_hash=files_to_hash)
            items = [
                manifest.FileManifestItem(path=PurePosixPath(one.identifier), digest=one.digest)
                for one in found.resource_descriptors()
            ]
            kind = manifest.SerializationType.from_args(found.serialization_type)
            return manifest.Manifest(NAMED, items, kind)

    named: Config = Named()  # type: ignore[no-untyped-call]
    return named.set_allow_symlinks(follow).set_ignored_paths(paths=IGNORED, ignore_git_paths=False)


def _differing(message: str) -> str:
    """The files in the library's message, the first few."""
    names = re.findall(r"Hash mismatch for '([^']*)'", message)
    for kind in ("Extra files found", "Missing files"):
        for found in re.findall(rf"{kind} in model '[^']*': ([^\]\"]*)", message):
            names += [f"{name} ({kind.split()[0].lower()})" for name in found.strip("'").split(", ")]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (", ".join(names[:5]) or "the list of files") + more


def _first(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error).splitlines()[0])[:200] if str(error) else "damaged"
