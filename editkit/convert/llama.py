"""A Llama folder as the text part of a model that sees: tokenizer, with a token for pictures, and tensors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from editkit.convert.folder import Planned
from editkit.convert.part import Part, settings
from editkit.errors import ModelError

UNKNOWN: Final = "<unk>"
CONFIG: Final = "tokenizer_config.json"
FOUND: Final = ("is_local", "local_files_only")
# Buffers that old checkpoints hold and every release of transformers computes anew.
COMPUTED: Final = ("rotary_emb.inv_freq",)


def tokenizer(folder: Path, picture: str) -> Any:
    """The tokenizer of a Llama folder, which knows `picture` and puts a space before what follows it.

    The released models tokenize what stands before and after a picture apart, each with the space that
    SentencePiece puts first; `legacy` is how transformers does that in one text.

    Raises:
        ModelError: there is none, or a package to read it is missing.
    """
    from transformers import AddedToken, LlamaTokenizer
    from transformers.utils.import_utils import is_sentencepiece_available

    files = [name for name in ("tokenizer.json", "tokenizer.model") if (folder / name).is_file()]
    if not files:
        raise ModelError(f"{folder}: neither tokenizer.json nor tokenizer.model is there")
    if files == ["tokenizer.model"] and not is_sentencepiece_available():
        raise ModelError(
            f"{folder / files[0]}: reading it takes one more package: pip install 'editkit[convert]'"
        )
    said = settings(folder, CONFIG) if (folder / CONFIG).is_file() else {}
    try:
        found = LlamaTokenizer.from_pretrained(
            folder, legacy=True, add_bos_token=said.get("add_bos_token", True)
        )
    except (
        Exception
    ) as error:  # what a tokenizer's parser raises at bytes of something else is anybody's guess
        raise ModelError(f"{folder / files[0]}: is no tokenizer of a Llama ({error})") from error
    # What the saved tokenizer will be made with: `legacy` is left out of it, and how it was found is put in.
    found.init_kwargs = {key: value for key, value in found.init_kwargs.items() if key not in FOUND}
    found.init_kwargs["legacy"] = True
    if found.pad_token is None:
        found.pad_token = UNKNOWN
    found.add_tokens([AddedToken(picture, normalized=False, special=True)], special_tokens=True)
    return found


def tensors(part: Part, prefix: str, rows: int, dtype: torch.dtype) -> dict[str, Planned]:
    """A Llama's tensors below `prefix`, with embeddings and head of at least `rows` tokens.

    A token that is new gets the rows of `<unk>`: the one word that a Llama has learnt never to say.
    """
    found = {}
    for name, shape in part.shapes.items():
        if name.endswith(COMPUTED):
            continue
        read: Callable[[], Tensor] = partial(part.read, name)
        if name in ("model.embed_tokens.weight", "lm_head.weight") and shape[0] < rows:
            read = partial(_longer, part, name, rows)
            shape = (rows, *shape[1:])
        found[prefix + name] = Planned("language model", shape, dtype, read)
    return found


def _longer(part: Part, name: str, rows: int) -> Tensor:
    weight = part.read(name)
    return torch.cat([weight, weight[:1].expand(rows - weight.shape[0], -1)])
