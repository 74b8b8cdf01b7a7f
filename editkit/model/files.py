"""Where a model's files are: the embedded one, a local folder, the Hub or its cache. Without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from editkit.errors import ModelError
from editkit.model.refusals import http_error, known, reason
from editkit.patch.format import Base

if TYPE_CHECKING:
    from editkit.recipe import ModelRef

EMBEDDED: Final = {"demo/scenes": Path(__file__).parent.parent / "demo" / "scenes"}
SMALL: Final = ("*.json", "*.model", "*.txt", "*.jinja")  # config, tokenizer, processor, chat template


def locate_files(
    ref: ModelRef, *, weights: bool = True, cached: bool = False, token: str | None = None
) -> tuple[Path, str | None]:
    """The folder with a model's files and the commit it was resolved to (None for local files).

    A Hub model is downloaded once into the Hub cache; pickled weights never are, others only where asked for.

    Args:
        cached: take a Hub model from the cache, and download nothing.
        token: for the Hub; without it the one of `hf auth login` or HF_TOKEN.

    Raises:
        ModelError: there is no such model, or it can't be reached.
    """
    here = _here(ref.id)
    if here is not None:
        return here, None
    if ref.id.count("/") != 1 or ref.id.startswith((".", "/", "~")):
        raise ModelError(f"{ref.id}: no such folder, and no Hub name (org/name) either")
    from huggingface_hub import snapshot_download

    wanted = [*SMALL, *(["*.safetensors"] if weights else []), *(["*.py"] if ref.trust_remote_code else [])]
    try:
        found = Path(
            snapshot_download(
                ref.id, revision=ref.revision, allow_patterns=wanted, local_files_only=cached, token=token
            )
        )
    except (http_error(), OSError, ValueError) as error:
        raise unreachable(ref, error) from error
    return found, found.name


def _here(name: str) -> Path | None:
    """The embedded model's folder, or a local one.

    Raises:
        ModelError: there is a folder, but no checkpoint in it.
    """
    if name in EMBEDDED:
        return EMBEDDED[name]
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return None
    if not (folder / "config.json").is_file():
        raise ModelError(f"{name}: the folder has no config.json, so it is no checkpoint")
    return folder


def base_folder(base: Base, given: str | None = None) -> Path:
    """The folder of the checkpoint a patch was made on.

    Args:
        given: a folder or Hub name that the user says it is; without it nothing is downloaded.

    Raises:
        ModelError: it is not here.
    """
    here = _here(given) if given else None
    if here is not None:
        return here  # without what reads recipes, which takes as long as the copy of a small model
    from editkit.recipe import ModelRef

    if given is not None:
        return locate_files(pinned(base, given))[0]
    if base.id.startswith("sha256:"):
        raise ModelError("the patch was made on a local checkpoint: give its folder with --base")
    try:
        return locate_files(ModelRef(id=base.id, revision=base.revision), cached=True)[0]
    except ModelError as error:
        raise ModelError(
            f"{base.id}: the patch's base is not in the Hub cache here: give its folder with --base, or "
            f"--base {base.id} to download it"
        ) from error


def pinned(base: Base, given: str) -> ModelRef:
    """What the user says a patch's base is, at the patch's own commit unless another is named.

    Raises:
        ModelError: neither a name nor a folder.
    """
    ref = named(given)
    known = base.revision if ref.id == base.id else None
    return ref.model_copy(update={"revision": ref.revision or known})


def named(given: str) -> ModelRef:
    """A model by what a user calls it: `org/name`, `org/name@revision` or a folder.

    Raises:
        ModelError: it can't be either.
    """
    from editkit.recipe import ModelRef

    if given and Path(given).expanduser().exists():  # a folder may have an @ in its name
        return ModelRef(id=given)
    try:
        return ModelRef.model_validate(given)
    except ValidationError:
        raise ModelError(f"{given!r:.200}: no such folder, and no Hub name (org/name) either") from None


def unreachable(ref: ModelRef, error: Exception) -> ModelError:
    """What is said of a Hub model that can't be had."""
    said = known(error, ref.id, ref.revision)
    if said is not None:
        return ModelError(said)
    at = f" at revision {ref.revision}" if ref.revision else ""
    return ModelError(
        f"{ref.id}{at}: not a folder here, and not to be had from the Hub ({type(reason(error)).__name__}); "
        "check the name, the revision, the network and `hf auth login`"
    )
