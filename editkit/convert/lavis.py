"""EVA-ViT-g and the Q-Former as LAVIS stores them -> as transformers' BLIP-2 has them.

Sources: the names in LAVIS' `eva_vit.py`, `Qformer.py` and `blip2.py`, which MiniGPT-4 keeps, and those that
transformers 5.23 has in `modeling_blip_2.py`. LAVIS stores the bias of queries and of values and has none for
keys; transformers has one bias of queries, keys, values. `ln_vision` is transformers' `post_layernorm`; its
epsilon is 1e-5 in LAVIS, where transformers has one epsilon, 1e-6, for the whole tower.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from math import isqrt
from typing import Any, Final

import torch
from torch import Tensor

from editkit.convert.folder import Planned
from editkit.convert.naming import Rules, renamed
from editkit.convert.part import Part
from editkit.errors import ModelError

VISION_HEAD: Final = 88
QFORMER_HEAD: Final = 64
# The file has a fortieth block; BLIP-2 and MiniGPT-4 take what leaves the one before it.
DEPTH: Final = 39
EVA: Final = "the EVA-ViT-g that LAVIS publishes (eva_vit_g.pth)"
QFORMER: Final = "a Q-Former of BLIP-2 that LAVIS publishes (blip2_pretrained_flant5xxl.pth)"

_LAYER: Final = r"vision_model.encoder.layers.\1"
_ASKS: Final = r"Qformer\.bert\.encoder\.layer\.(\d+)"
_ASKED: Final = r"qformer.encoder.layer.\1"
VISION_NAMES: Final[Rules] = (
    (r"cls_token", "vision_model.embeddings.class_embedding"),
    (r"pos_embed", "vision_model.embeddings.position_embedding"),
    (r"patch_embed\.proj\.(weight|bias)", r"vision_model.embeddings.patch_embedding.\1"),
    (r"blocks\.(\d+)\.norm([12])\.(weight|bias)", rf"{_LAYER}.layer_norm\2.\3"),
    (r"blocks\.(\d+)\.attn\.qkv\.weight", rf"{_LAYER}.self_attn.qkv.weight"),
    (r"blocks\.(\d+)\.attn\.proj\.(weight|bias)", rf"{_LAYER}.self_attn.projection.\2"),
    (r"blocks\.(\d+)\.mlp\.fc([12])\.(weight|bias)", rf"{_LAYER}.mlp.fc\2.\3"),
)
QFORMER_NAMES: Final[Rules] = (
    (r"ln_vision\.(weight|bias)", r"vision_model.post_layernorm.\1"),
    (r"query_tokens", "query_tokens"),
    (r"Qformer\.bert\.embeddings\.LayerNorm\.(weight|bias)", r"qformer.layernorm.\1"),
    (
        rf"{_ASKS}\.(attention|crossattention)\.self\.(query|key|value)\.(weight|bias)",
        rf"{_ASKED}.\2.attention.\3.\4",
    ),
    (
        rf"{_ASKS}\.(attention|crossattention)\.output\.(dense|LayerNorm)\.(weight|bias)",
        rf"{_ASKED}.\2.output.\3.\4",
    ),
    (
        rf"{_ASKS}\.(intermediate_query|output_query)\.(dense|LayerNorm)\.(weight|bias)",
        rf"{_ASKED}.\2.\3.\4",
    ),
)


def vision_config(part: Part) -> dict[str, Any]:
    """The tower's sizes, read off its tensors.

    Raises:
        ModelError: it is another tower.
    """
    wide = part.shape("cls_token", 3, EVA)[-1]
    patch = part.shape("patch_embed.proj.weight", 4, EVA)[-1]
    side = isqrt(part.shape("pos_embed", 3, EVA)[1] - 1)
    return {
        "hidden_size": wide,
        "intermediate_size": part.shape("blocks.0.mlp.fc1.weight", 2, EVA)[0],
        "num_hidden_layers": min(_count(part, r"blocks\.(\d+)\..+"), DEPTH),
        "num_attention_heads": _heads(part, wide, VISION_HEAD, EVA),
        "image_size": side * patch,
        "patch_size": patch,
    }


def qformer_config(part: Part) -> dict[str, Any]:
    """The Q-Former's sizes, read off its tensors; `num_query_tokens` is for the model's own config.

    Raises:
        ModelError: it is no Q-Former.
    """
    wide = part.shape("query_tokens", 3, QFORMER)[-1]
    inner = part.shape("Qformer.bert.encoder.layer.0.intermediate_query.dense.weight", 2, QFORMER)[0]
    return {
        "hidden_size": wide,
        "intermediate_size": inner,
        "num_hidden_layers": _count(part, rf"{_ASKS}\..+"),
        "num_attention_heads": _heads(part, wide, QFORMER_HEAD, QFORMER),
        "encoder_hidden_size": part.shape("ln_vision.weight", 1, QFORMER)[0],
    }


def vision_tensors(part: Part, dtype: torch.dtype) -> dict[str, Planned]:
    """The tower's tensors by their names in BLIP-2, but for its last norm, which is beside the Q-Former."""
    found = _planned(part, VISION_NAMES, "vision tower", dtype)
    for name, shape in part.shapes.items():
        if match := re.fullmatch(r"blocks\.(\d+)\.attn\.q_bias", name):
            target = match.expand(rf"{_LAYER}.self_attn.qkv.bias")
            read = partial(_bias, part, name, name.replace("q_bias", "v_bias"))
            found[target] = Planned("vision tower", (3 * shape[0],), dtype, read)
    return found


def qformer_tensors(part: Part, dtype: torch.dtype) -> dict[str, Planned]:
    """The tensors of the Q-Former, in float32 as transformers keeps them, and the tower's last norm."""
    found = _planned(part, QFORMER_NAMES, "Q-Former", torch.float32)
    return {
        name: Planned(one.part, one.shape, dtype, one.read) if name.startswith("vision_model.") else one
        for name, one in found.items()
    }


def _planned(part: Part, rules: Rules, what: str, dtype: torch.dtype) -> dict[str, Planned]:
    found = {}
    for name, shape in part.shapes.items():
        target = renamed(name, rules)
        if target is not None:
            read: Callable[[], Tensor] = partial(part.read, name)
            found[target] = Planned(what, shape, dtype, read)
    return found


def _bias(part: Part, query: str, value: str) -> Tensor:
    """The bias of queries, of keys (there is none) and of values, `[3 * d]`."""
    first, last = part.read(query), part.read(value)
    return torch.cat([first, torch.zeros_like(first), last])


def _count(part: Part, pattern: str) -> int:
    numbers = [int(match[1]) for name in part.shapes if (match := re.fullmatch(pattern, name))]
    return max(numbers, default=-1) + 1


def _heads(part: Part, wide: int, head: int, what: str) -> int:
    if wide % head:
        raise ModelError(f"{part.place}: it is {wide} wide and its heads would be {head}: it is not {what}")
    return wide // head
