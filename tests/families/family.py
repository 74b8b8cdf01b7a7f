"""What the builders of tiny checkpoints share: the record of a family, its sizes, its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from tests.families.words import words

# A decoder's sizes in the names that most configs have for them.
SIZES: Final[dict[str, Any]] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "initializer_range": 0.3,
}
# The same in the names of other configs.
SYNONYMS: Final[dict[str, Any]] = {
    **dict.fromkeys(("n_embd", "d_model"), 32),
    **dict.fromkeys(("n_inner", "d_ff", "ffn_dim", "ffn_hidden_size"), 48),
    **dict.fromkeys(("n_layer", "n_layers", "num_layers"), 2),
    **dict.fromkeys(("n_head", "n_heads", "num_heads"), 4),
    **dict.fromkeys(("n_positions", "max_seq_len"), 128),
    "d_kv": 8,
    "init_std": 0.3,
}


@dataclass(frozen=True)
class Family:
    """A kind of checkpoint: `build(folder)` writes a tiny one of random weights.

    Attributes:
        checked: the real checkpoint whose layout it has.
        images: whether its processor takes pictures.
        encoder_decoder: whether the prompt is read by an encoder.
        moe: whether layers have experts.
    """

    name: str
    build: Callable[[Path], None]
    checked: str
    images: bool = False
    encoder_decoder: bool = False
    moe: bool = False


def ids(tokenizer: Any) -> dict[str, Any]:
    """The arguments of a config that speak of its tokenizer."""
    names = ("bos_token_id", "eos_token_id", "pad_token_id")
    return {"vocab_size": len(tokenizer), **{name: getattr(tokenizer, name) for name in names}}


def save(model: Any, processor: Any, folder: Path) -> None:
    """Write both in float32; no bias stays zero and no norm one, so that leaving one out shows."""
    import torch

    with torch.no_grad():
        for name, tensor in (*model.named_parameters(), *model.named_buffers()):
            if name.endswith("layer_scalar"):
                tensor.fill_(0.75)
            elif isinstance(tensor, torch.nn.Parameter) and (tensor.dim() == 1 or name.endswith("bias")):
                tensor.add_(torch.randn_like(tensor) * 0.1)
    for module in model.modules():
        if getattr(getattr(module, "config", None), "scale_decoder_outputs", True) is False:
            _untie(module)
    model.float().save_pretrained(folder)
    processor.save_pretrained(folder)


def _untie(module: Any) -> None:
    """Give Flan-T5 the head of its own that real ones have; T5 is tied unless the file has one."""
    import torch

    if hasattr(module, "lm_head"):
        module.lm_head.weight = torch.nn.Parameter(torch.randn_like(module.lm_head.weight) * 0.3)


def text(name: str, checked: str, kind: str, model: str, **others: Any) -> Family:
    """A family that only reads: a kind of words, a class of model, what its config is given besides sizes."""
    flags = {flag: others.pop(flag) for flag in ("encoder_decoder", "moe") if flag in others}
    generation = others.pop("generation", {})
    return Family(name, partial(_build, name, kind, model, others, generation), checked, **flags)


def _build(
    name: str, kind: str, model: str, others: dict[str, Any], generation: dict[str, Any], folder: Path
) -> None:
    import torch
    import transformers

    torch.manual_seed(crc32(name.encode()))
    tokenizer, made = words(kind), getattr(transformers, model)
    sizes = {size: value for size, value in (SIZES | SYNONYMS).items() if hasattr(made.config_class, size)}
    filled = made(made.config_class(**ids(tokenizer), **(sizes | others)))
    filled.generation_config.update(**generation)
    save(filled, tokenizer, folder)
