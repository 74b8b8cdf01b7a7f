"""Parts that vision-language models are put together from; pictures are 32 pixels wide."""

from __future__ import annotations

from typing import Any, Final

from tests.families.family import SIZES

SIDE: Final = 32
SQUARE: Final = {"height": SIDE, "width": SIDE}
GRID: Final = [[SIDE, 2 * SIDE], [2 * SIDE, SIDE], [2 * SIDE, 2 * SIDE]]


def decoder(kind: str, **others: Any) -> dict[str, Any]:
    """A text config, by its `model_type`."""
    return SIZES | {"model_type": kind, "max_position_embeddings": 256, "tie_word_embeddings": False} | others


# Towers; the finer ones merge four patches into one token.
TOWER: Final[dict[str, Any]] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": SIDE,
    "patch_size": 16,
    "initializer_range": 0.2,
}
FINE: Final = TOWER | {"patch_size": 8}
CLIP: Final = {"model_type": "clip_vision_model", "projection_dim": 16} | TOWER
SIGLIP: Final = {"model_type": "siglip_vision_model", "vision_use_head": False} | FINE
QWEN: Final[dict[str, Any]] = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 48,
    "out_hidden_size": 32,
    "num_heads": 4,
    "patch_size": 8,
    "initializer_range": 0.2,
}
QWEN2: Final[dict[str, Any]] = {
    "depth": 2,
    "embed_dim": 32,
    "hidden_size": 32,
    "mlp_ratio": 2,
    "num_heads": 4,
    "patch_size": 8,
    "initializer_range": 0.2,
}
QWEN3: Final = QWEN | {"num_position_embeddings": 16}
DEEP: Final = QWEN3 | {"deepstack_visual_indexes": [0, 1]}
MLLAMA: Final = TOWER | {
    "num_global_layers": 1,
    "attention_heads": 4,
    "vision_output_dim": 64,
    "intermediate_layers_indices": [0],
}
Q_FORMER: Final = TOWER | {"vocab_size": 200, "max_position_embeddings": 256, "encoder_hidden_size": 32}

# Parts of language models.
T5: Final[dict[str, Any]] = {
    "model_type": "t5",
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "feed_forward_proj": "gated-gelu",
    "decoder_start_token_id": 0,
    "tie_word_embeddings": False,
}
OPT: Final = decoder("opt", ffn_dim=48, word_embed_proj_dim=32, tie_word_embeddings=True)
WIDE: Final[dict[str, Any]] = {"head_dim": 16, "tie_word_embeddings": True}
ROPE: Final[dict[str, Any]] = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 1, 1]}
WOVEN: Final = ROPE | {"mrope_interleaved": True}
LINEAR: Final[dict[str, Any]] = {
    "num_hidden_layers": 3,
    "layer_types": ["linear_attention", "full_attention", "linear_attention"],
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "head_dim": 32,
    "rope_parameters": WOVEN | {"partial_rotary_factor": 0.25},
}

# Image processors and processors: a class, and what it is given.
CROPPED: Final = ("CLIPImageProcessorPil", {"size": {"shortest_edge": SIDE}, "crop_size": SQUARE})
ANYRES: Final[dict[str, Any]] = {
    "size": {"shortest_edge": SIDE},
    "crop_size": SQUARE,
    "image_grid_pinpoints": GRID,
}
BLIP: Final = ("BlipImageProcessorPil", {"size": SQUARE})
MERGED: Final = (
    "Qwen2VLImageProcessorPil",
    {"size": {"shortest_edge": 16**2, "longest_edge": SIDE**2}, "patch_size": 8},
)
SPLIT: Final = {"size": {"longest_edge": 2 * SIDE}, "max_image_size": {"longest_edge": SIDE}}
PATCHES: Final = {
    "patch_size": 16,
    "num_additional_image_tokens": 1,
    "vision_feature_select_strategy": "default",
}
QUERIES: Final = {"num_query_tokens": 4}
IMAGE: Final = {"image_token_index": "<image>"}
PADS: Final = {
    "image_token_id": "<|image_pad|>",
    "video_token_id": "<|video_pad|>",
    "vision_start_token_id": "<|vision_start|>",
    "vision_end_token_id": "<|vision_end|>",
}
