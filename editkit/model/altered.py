"""Open what an edit left behind: a patch, a merged model, or a LoRA adapter on the base."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from editkit.checkpoint import Checkpoint
from editkit.errors import InputError, ModelError
from editkit.model.editable import Editable
from editkit.model.open import first_line, open_model, quiet
from editkit.patch.file import Patch
from editkit.patch.verify import verify
from editkit.recipe import ModelRef

ADAPTER = "adapter_config.json"


def open_altered(name: str, base: Editable, ref: ModelRef) -> Patch | Editable:
    """A patch that fits the base, or a whole model that speaks the base's tokens.

    Args:
        name: a patch file, a folder with a model or a LoRA adapter in it, or a model's Hub name.
        ref: how the base was opened: the other model is opened like it.

    Raises:
        InputError: there is no such file or folder.
        PatchError: no patch, or one of another base.
        ModelError: the model can't be opened, or is none of the base's kind.
    """
    place = Path(name).expanduser()
    if place.is_file():
        patch = Patch.load(place)
        verify(patch, Checkpoint.open(base.folder))
        return patch
    if (place / ADAPTER).is_file():
        return _same_kind(_with_adapter(place, ref), base)
    asked = ModelRef.model_validate(name)
    if not place.is_dir() and (asked.is_path or place.suffix or name.count("/") != 1):
        raise InputError(
            f"{name}: no such file or folder: give a patch file, a folder with a model or an adapter, or a "
            "model's Hub name"
        )
    other = open_model(ref.model_copy(update={"id": asked.id, "revision": asked.revision}))
    return _same_kind(other, base)


def _with_adapter(folder: Path, ref: ModelRef) -> Editable:
    """The base opened anew with the adapter merged into its weights."""
    opened = open_model(ref)
    with quiet(), _unheard():
        from peft import PeftModel

        try:
            merged = PeftModel.from_pretrained(opened.model, str(folder)).merge_and_unload()
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
            raise ModelError(f"{folder}: the adapter can't be used: {first_line(error)}") from error
    merged.eval().requires_grad_(False)
    return replace(opened, model=merged, name=str(folder), revision=None)


@contextmanager
def _unheard() -> Iterator[None]:
    """peft imports bitsandbytes where that is installed, which complains of what nobody here needs."""
    complaining = logging.getLogger("bitsandbytes")
    level = complaining.level
    complaining.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        complaining.setLevel(level)


def _same_kind(other: Editable, base: Editable) -> Editable:
    """Token by token the two must mean the same, or nothing they say can be compared."""
    if other.tokenizer.get_vocab() != base.tokenizer.get_vocab() or other.n_logits != base.n_logits:
        raise ModelError(
            f"{other.name}: its tokens are not those of {base.name}: it is no edit of that model"
        )
    return other
