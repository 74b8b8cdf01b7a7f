"""Open a checkpoint: the embedded one, a local folder or a Hub model, through transformers' own classes."""

from __future__ import annotations

import atexit
import importlib.util
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.files import locate_files
from editkit.recipe import ModelRef


@contextmanager
def quiet() -> Iterator[None]:
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


def load_weights(folder: Path, name: str, *, trust_remote_code: bool = False, **settings: Any) -> Any:
    """The model of a folder's files, of transformers' own class for it; never from pickled weights.

    Args:
        name: what errors call it; `settings` go to `from_pretrained`.
        trust_remote_code: whether a class that comes with the files may be run.

    Raises:
        ModelError: the files can't be read, or are of no class we can edit.
    """
    from safetensors import SafetensorError

    with quiet():
        try:
            auto = auto_class(load_config(folder, name, trust_remote_code=trust_remote_code))
            trusted = {"trust_remote_code": trust_remote_code, "use_safetensors": True}
            return auto.from_pretrained(folder, **{**settings, **trusted})
        except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"{name}: the checkpoint can't be loaded: {first_line(error)}") from error


def load_config(folder: Path, name: str, *, trust_remote_code: bool = False) -> Any:
    """The configuration of a folder's files.

    Raises:
        ModelError: it can't be read, or is of a class that comes with the files and is not trusted.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    wrong = (OSError, ValueError, KeyError, ImportError, TypeError, AttributeError, StrictDataclassError)
    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
    except wrong as error:
        if "trust_remote_code" in str(error):
            raise ModelError(
                f"{name}: its class is code in its own repository: read that code, and if you trust it set "
                "model.trust_remote_code: true"
            ) from error
        raise ModelError(f"{name}: the checkpoint can't be loaded: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def auto_class(config: Any) -> Any:
    """The Auto class that makes a language or vision-language model of a configuration.

    Raises:
        ModelError: there is none.
    """
    from transformers import (
        MODEL_FOR_CAUSAL_LM_MAPPING,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
        AutoModelForSeq2SeqLM,
    )

    own = getattr(config, "auto_map", None) or {}
    for mapping, auto in (
        (MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoModelForImageTextToText),
        (MODEL_FOR_CAUSAL_LM_MAPPING, AutoModelForCausalLM),
        (MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING, AutoModelForSeq2SeqLM),
    ):
        if type(config) in mapping or auto.__name__ in own:
            return auto
    raise ModelError(f"{config.model_type}: transformers has no language or vision-language class for it")


def open_processor(folder: Path, name: str, *, trust_remote_code: bool = False) -> Any:
    """The processor or tokenizer of a folder's files, padding left.

    Raises:
        ModelError: there is none that can be used.
    """
    from editkit.model.processors import load_processor

    try:
        with quiet():
            processor = load_processor(folder, trust_remote_code=trust_remote_code)
    except (OSError, ValueError, ImportError, AttributeError, KeyError) as error:
        said = first_line(error)
        raise ModelError(f"{name}: no usable tokenizer or processor in its files ({said})") from error
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
    trusted = ref.trust_remote_code
    settings = _placement(ref)
    model = load_weights(folder, ref.id, trust_remote_code=trusted, dtype=ref.dtype, **settings)
    processor = open_processor(folder, ref.id, trust_remote_code=trusted)
    if ref.device != "auto" and ref.load_in is None:
        try:
            model.to(ref.device)
        except (RuntimeError, AssertionError) as error:
            raise ModelError(
                f"{ref.id}: the device {ref.device} can't be used: {first_line(error)}"
            ) from error
    model.eval().requires_grad_(False)
    return Editable(model, processor, folder, ref.id, revision, ref.w_out)


def open_known(ref: ModelRef) -> Editable:
    """A loaded model whose places of W_out are known, or confirmed by the user.

    Raises:
        ModelError: they are only guessed; or see `open_model`.
    """
    editable = open_model(ref)
    if editable.layout.guessed:
        guess, name = editable.layout.template, editable.name
        raise ModelError(
            f"{name}: where this architecture keeps W_out is not known; by its shapes it is {guess}: "
            f"look at `editkit models {name}`, and if that is right set model.w_out: {guess!r}"
        )
    _ = editable.w_outs
    return editable


def _placement(ref: ModelRef) -> dict[str, Any]:
    """What `from_pretrained` is told of devices and packing.

    Raises:
        ModelError: bitsandbytes is asked for and not installed.
    """
    settings: dict[str, Any] = {}
    if ref.device == "auto":
        folder = tempfile.mkdtemp(prefix="editkit-offload-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        settings = {"device_map": "auto", "offload_folder": folder}
        if ref.max_memory is not None:
            limits = ref.max_memory.items()
            settings["max_memory"] = {int(name) if name.isdigit() else name: size for name, size in limits}
    if ref.load_in is not None:
        if importlib.util.find_spec("bitsandbytes") is None:
            raise ModelError(
                f"model.load_in: {ref.load_in} needs bitsandbytes: pip install 'editkit[bitsandbytes]'"
            )
        from transformers import BitsAndBytesConfig

        settings["quantization_config"] = BitsAndBytesConfig(**{f"load_in_{ref.load_in}": True})
        settings.setdefault("device_map", {"": ref.device})
    return settings
