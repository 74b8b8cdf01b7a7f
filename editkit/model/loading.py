"""An edited model in one call, as transformers would have loaded it, by one name or from base and patch."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

from editkit.checkpoint import Checkpoint
from editkit.model.files import locate_files, named, pinned
from editkit.model.open import load_weights
from editkit.model.patching import write_patch
from editkit.model.repository import Edited, base_of, check_merged, edited
from editkit.patch.file import Patch
from editkit.patch.verify import verify
from editkit.recipe import ModelRef

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def from_pretrained(
    name: str | PathLike[str],
    patch: str | PathLike[str] | Patch | None = None,
    *,
    base: str | PathLike[str] | None = None,
    revision: str | None = None,
    token: str | None = None,
    **kwargs: Any,
) -> PreTrainedModel:
    """The edited model.

    The base is taken at the commit the patch names, and its files are compared with what the patch was made
    on before any weight is loaded. Pickles are never read, nor the weights of an adapter.

    Args:
        name: with a patch, its base: `demo/scenes`, a folder, `org/name` or `org/name@revision`. Alone, what
            has the edit in it: a repository or folder that editkit wrote (an adapter with its patch, a patch
            alone, a merged checkpoint), or a patch file.
        base: where the base is, if not where the patch says: a folder or a Hub name.
        revision: of `name` on the Hub.
        token: for the Hub, if not the one of `hf auth login` or HF_TOKEN.
        kwargs: for transformers' `from_pretrained` (`dtype`, `device_map`, ...).

    Raises:
        ModelError: there is no such repository, revision or base, or it can't be loaded.
        PatchError: no patch, a damaged one, or one of another base.
    """
    ref = named(str(name))
    if ref.revision is None:
        ref = ref.model_copy(update={"revision": revision})
    trusted = bool(kwargs.get("trust_remote_code", False))
    if patch is None:
        edit = edited(ref, token)
        if edit.kind == "merged":
            return _merged(ref, edit, token, trusted, kwargs)
        source, patches = base_of(edit, None if base is None else str(base)), edit.patches
    else:
        patches = (patch if isinstance(patch, Patch) else Patch.load(patch),)
        known = patches[0].base
        source = ref if ref.revision or ref.id != known.id else pinned(known, ref.id)
    folder, _ = locate_files(source.model_copy(update={"trust_remote_code": trusted}), token=token)
    for one in patches:
        verify(one, Checkpoint.open(folder))
    model: PreTrainedModel = load_weights(folder, source.id, **{"dtype": "auto", **kwargs})
    for one in patches:
        write_patch(model, one)
    return model


def _merged(
    ref: ModelRef, edit: Edited, token: str | None, trusted: bool, kwargs: dict[str, Any]
) -> PreTrainedModel:
    # A branch may have moved since the patch in it was read.
    same = {"revision": edit.commit or ref.revision, "trust_remote_code": trusted}
    folder, _ = locate_files(ref.model_copy(update=same), token=token)
    check_merged(edit, folder)
    model: PreTrainedModel = load_weights(folder, ref.id, **{"dtype": "auto", **kwargs})
    return model
