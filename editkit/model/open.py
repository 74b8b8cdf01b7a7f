"""Open a checkpoint: the embedded one, a local folder or a Hub model, through transformers' own classes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.recipe import ModelRef

EMBEDDED: Final = {"demo/scenes": Path(__file__).parent.parent / "demo" / "scenes"}


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers reports and draws bars while it loads; what matters of it is raised anyway."""
    from transformers.utils import logging as reporting

    level, bars = reporting.get_verbosity(), reporting.is_progress_bar_enabled()
    reporting.set_verbosity(logging.CRITICAL)
    reporting.disable_progress_bar()
    try:
        yield
    finally:
        reporting.set_verbosity(level)
        if bars:
            reporting.enable_progress_bar()


def locate_files(ref: ModelRef) -> tuple[Path, str | None]:
    """The folder with a model's files and the commit it was resolved to (None for local files).

    A Hub model is downloaded once into the Hub cache; pickled weights never are.

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
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
    try:
        found = Path(snapshot_download(ref.id, revision=ref.revision, allow_patterns=wanted))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        at = f" at revision {ref.revision}" if ref.revision else ""
        raise ModelError(
            f"{ref.id}{at}: not a folder here, and not to be had from the Hub ({type(error).__name__}); "
            "check the name, the revision, the network and `hf auth login`"
        ) from error
    return found, found.name


def load_weights(folder: Path, name: str, **settings: Any) -> Any:
    """The model of a folder's files, of transformers' own class for it; never from pickled weights.

    Args:
        name: what errors call it; `settings` go to `from_pretrained`.

    Raises:
        ModelError: the files can't be read, or are of no class we can edit.
    """
    from safetensors import SafetensorError
    from transformers import AutoConfig

    with _quiet():
        try:
            auto = _auto_class(AutoConfig.from_pretrained(folder))
            return auto.from_pretrained(folder, **{**settings, "use_safetensors": True})
        except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(f"{name}: the checkpoint can't be loaded: {first}") from error


def _auto_class(config: Any) -> Any:
    from transformers import (
        MODEL_FOR_CAUSAL_LM_MAPPING,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
        AutoModelForSeq2SeqLM,
    )

    for mapping, auto in (
        (MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoModelForImageTextToText),
        (MODEL_FOR_CAUSAL_LM_MAPPING, AutoModelForCausalLM),
        (MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING, AutoModelForSeq2SeqLM),
    ):
        if type(config) in mapping:
            return auto
    raise ModelError(f"{config.model_type}: transformers has no language or vision-language class for it")


def _processor(folder: Path, *, images: bool) -> Any:
    from editkit.model.processors import load_processor

    try:
        processor = load_processor(folder, images=images)
    except (OSError, ValueError, ImportError, AttributeError, KeyError) as error:
        raise ModelError(f"{folder.name}: no usable tokenizer or processor in it ({error})") from error
    tokenizer = getattr(processor, "tokenizer", processor)
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return processor


def open_model(ref: ModelRef) -> Editable:
    """Load a model and its processor, in evaluation mode, without gradients.

    Raises:
        ModelError: it is not there, not readable, or of no class we can edit.
    """
    folder, revision = locate_files(ref)
    model = load_weights(folder, ref.id, dtype=ref.dtype)
    with _quiet():
        processor = _processor(folder, images=hasattr(model.config, "vision_config"))
    try:
        model.to(ref.device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).strip().splitlines()[0]
        raise ModelError(f"{ref.id}: the device {ref.device} can't be used: {first}") from error
    model.eval().requires_grad_(False)
    return Editable(model, processor, folder, ref.id, revision)
