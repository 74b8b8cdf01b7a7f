"""Load what reads texts, and its tokenizer, so that no library has to guess from a path what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from editkit.errors import ModelError
from editkit.model.open import first_line, load_config, quiet

LONGEST: Final = 512  # tokens, where neither the tokenizer nor the model says it
UNUSED: Final = "pooler."  # of an encoder: nothing here asks it


def load_reader(folder: Path, name: str) -> Any:
    """The encoder of a folder's files, in evaluation mode: of a model that also writes, its reading half.

    Raises:
        ModelError: it can't be loaded, or its files lack some of its weights.
    """
    from transformers import AutoModel

    model = _load(AutoModel, folder, name)
    return model.get_encoder() if model.config.is_encoder_decoder else model


def load_judge(folder: Path, name: str) -> Any:
    """The regression model of a folder's files, in evaluation mode: two texts in, one figure out.

    Raises:
        ModelError: it can't be loaded, or gives no figure or several.
    """
    from transformers import AutoModelForSequenceClassification

    outputs = load_config(folder, name).num_labels
    if outputs != 1:
        raise ModelError(f"{name}: has {outputs} outputs, and a regression checkpoint has one")
    return _load(AutoModelForSequenceClassification, folder, name)


def _load(auto: Any, folder: Path, name: str) -> Any:
    from safetensors import SafetensorError
    from transformers import AutoModel

    with quiet():
        try:
            model, told = auto.from_pretrained(folder, use_safetensors=True, output_loading_info=True)
        except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"{name}: the checkpoint can't be loaded: {first_line(error)}") from error
    # What the files lack was drawn at random: figures made with it would mean nothing.
    lost = sorted(key for key in told["missing_keys"] if auto is not AutoModel or not key.startswith(UNUSED))
    if lost:
        raise ModelError(
            f"{name}: its files lack weights that are asked for here: {lost[0]}, {len(lost)} in all"
        )
    return model.eval().requires_grad_(False)


def load_tokenizer(folder: Path, name: str, config: Any) -> Any:
    """The tokenizer of a folder's files, which pads right and knows how much the model can read.

    Raises:
        ModelError: there is none that can be used.
    """
    from transformers import AutoTokenizer

    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, ImportError, AttributeError, KeyError) as error:
        said = first_line(error)
        raise ModelError(f"{name}: no usable tokenizer in its files ({said})") from error
    if len(tokenizer) <= len(tokenizer.all_special_ids):  # made of nothing where its files are missing
        raise ModelError(f"{name}: no usable tokenizer in its files (it knows no words)")
    tokenizer.padding_side = "right"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.model_max_length = min(tokenizer.model_max_length, _positions(config))
    _space_first(tokenizer)
    return tokenizer


def _positions(config: Any) -> int:
    """How many tokens the model has positions for."""
    positions = getattr(config, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions <= 0:
        return LONGEST
    counts_from_pad = config.model_type in ("roberta", "xlm-roberta", "camembert", "longformer", "mpnet")
    return positions - (config.pad_token_id + 1 if counts_from_pad else 0)


def _space_first(tokenizer: Any) -> None:
    """Where tokens hold the space before them, a text's first word is the token it is within a text."""
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)
    splitter: Any = getattr(backend, "pre_tokenizer", None)
    if hasattr(splitter, "add_prefix_space"):
        splitter.add_prefix_space = True
        backend.pre_tokenizer = splitter
