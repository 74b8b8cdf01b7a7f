"""A base and a patch in one call: the edited model, as transformers would have loaded it."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

from editkit.checkpoint import Checkpoint
from editkit.model.files import locate_files
from editkit.model.open import load_weights
from editkit.model.patching import write_patch
from editkit.patch.file import Patch
from editkit.patch.verify import verify
from editkit.recipe import ModelRef

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def from_pretrained(
    base: str | PathLike[str], patch: str | PathLike[str] | Patch, **kwargs: Any
) -> PreTrainedModel:
    """The base model with the patch written into it.

    The checkpoint's files are compared with what the patch was made on before any weight is loaded. Of a Hub
    model, the commit the patch names is taken where the caller names none.

    Args:
        base: `demo/scenes`, a folder, `org/name` or `org/name@revision`.
        kwargs: for transformers' `from_pretrained` (`dtype`, `device_map`, ...), and `revision`.

    Raises:
        ModelError: there is no such base, or it can't be loaded.
        PatchError: no patch, or one of another base.
    """
    change = patch if isinstance(patch, Patch) else Patch.load(patch)
    revision = kwargs.pop("revision", None)
    ref = ModelRef.model_validate(str(base))
    if ref.revision is None:
        known = change.base.revision if ref.id == change.base.id else None
        ref = ref.model_copy(update={"revision": revision or known})
    folder, _ = locate_files(ref)
    verify(change, Checkpoint.open(folder))
    model: PreTrainedModel = load_weights(folder, ref.id, **{"dtype": "auto", **kwargs})
    write_patch(model, change)
    return model
