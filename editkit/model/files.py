"""Where a model's files are: the embedded one, a local folder, the Hub or its cache. Without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from editkit.errors import ModelError
from editkit.patch.format import Base
from editkit.recipe import ModelRef

EMBEDDED: Final = {"demo/scenes": Path(__file__).parent.parent / "demo" / "scenes"}
SMALL: Final = ("*.json", "*.model", "*.txt", "*.jinja")  # config, tokenizer, processor, chat template


def locate_files(ref: ModelRef, *, weights: bool = True, cached: bool = False) -> tuple[Path, str | None]:
    """The folder with a model's files and the commit it was resolved to (None for local files).

    A Hub model is downloaded once into the Hub cache; pickled weights never are, others only where asked for.

    Args:
        cached: take a Hub model from the cache, and download nothing.

    Raises:
        ModelError: there is no such model, or it can't be reached.
    """
    if ref.id in EMBEDDED:
        return EMBEDDED[ref.id], None
    folder = Path(ref.id).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ModelError(f"{ref.id}: the folder has no config.json, so it is no checkpoint")
        return folder, None
    if ref.id.count("/") != 1 or ref.id.startswith((".", "/", "~")):
        raise ModelError(f"{ref.id}: no such folder, and no Hub name (org/name) either")
    from huggingface_hub import snapshot_download

    wanted = [*SMALL, *(["*.safetensors"] if weights else []), *(["*.py"] if ref.trust_remote_code else [])]
    try:
        found = Path(
            snapshot_download(ref.id, revision=ref.revision, allow_patterns=wanted, local_files_only=cached)
        )
    except (http_error(), OSError, ValueError) as error:
        raise unreachable(ref, error) from error
    return found, found.name


def base_folder(base: Base, given: str | None = None) -> Path:
    """The folder of the checkpoint a patch was made on.

    Args:
        given: a folder or Hub name that the user says it is; without it nothing is downloaded.

    Raises:
        ModelError: it is not here.
    """
    if given is not None:
        try:
            ref = ModelRef.model_validate(given)
        except ValidationError:
            raise ModelError(f"{given!r:.200}: no such folder, and no Hub name (org/name) either") from None
        if ref.revision is None and ref.id == base.id:
            ref = ref.model_copy(update={"revision": base.revision})
        return locate_files(ref)[0]
    if base.id.startswith("sha256:"):
        raise ModelError("the patch was made on a local checkpoint: give its folder with --base")
    try:
        return locate_files(ModelRef(id=base.id, revision=base.revision), cached=True)[0]
    except ModelError as error:
        raise ModelError(
            f"{base.id}: the patch's base is not in the Hub cache here: give its folder with --base, or "
            f"--base {base.id} to download it"
        ) from error


def http_error() -> type[Exception]:
    """What the Hub's client raises; which library it comes from depends on the client's version."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # it imports it itself

    found: type[Exception] = HTTPError
    return found


def unreachable(ref: ModelRef, error: Exception) -> ModelError:
    """What is said of a Hub model that can't be had."""
    at = f" at revision {ref.revision}" if ref.revision else ""
    return ModelError(
        f"{ref.id}{at}: not a folder here, and not to be had from the Hub ({type(error).__name__}); "
        "check the name, the revision, the network and `hf auth login`"
    )
