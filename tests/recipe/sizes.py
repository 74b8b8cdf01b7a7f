"""The sizes of the real models that recipes are for, from their configs: enough to count their memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

VICUNA: Final[dict[str, Any]] = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "tie_word_embeddings": False,
}
LLAMA: Final[dict[str, Any]] = {
    **VICUNA,
    "vocab_size": 128_256,
    "intermediate_size": 14336,
    "num_key_value_heads": 8,
}
# The EVA tower and the Q-Former are the defaults of transformers' configs.
CLIP_L: Final[dict[str, Any]] = {
    "model_type": "clip_vision_model",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 336,
    "patch_size": 14,
    "projection_dim": 768,
}
QWEN_TOWER: Final[dict[str, Any]] = {
    "depth": 32,
    "hidden_size": 1280,
    "intermediate_size": 3420,
    "out_hidden_size": 3584,
    "num_heads": 16,
}
QWEN2: Final[dict[str, Any]] = {
    "model_type": "qwen2_5_vl_text",
    "vocab_size": 152_064,
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "tie_word_embeddings": False,
}
QWEN3: Final[dict[str, Any]] = {
    "vocab_size": 151_936,
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "tie_word_embeddings": False,
}


@dataclass(frozen=True)
class Real:
    """A real model: transformers' class, its config, its parameters in billions as its authors count them.

    `prompt` is how many tokens the recipe's longest prompt has, with a picture of 640 x 480.
    """

    kind: str
    config: dict[str, Any]
    billions: float
    prompt: int
    family: str


REAL: Final[dict[str, Real]] = {
    "llava-redact": Real(
        "LlavaForConditionalGeneration",
        {"vision_config": CLIP_L, "text_config": {**VICUNA, "vocab_size": 32_064}},
        7.06,
        600,
        "llava",
    ),
    "instructblip-fix-hallucination": Real(
        "InstructBlipForConditionalGeneration",
        {"text_config": {**VICUNA, "vocab_size": 32_001}},
        7.91,
        50,
        "instructblip_vicuna",
    ),
    "minigpt4-fix-hallucination": Real(
        "Blip2ForConditionalGeneration",
        {"text_config": {**VICUNA, "vocab_size": 32_001}},
        7.83,
        110,
        "minigpt4",
    ),
    "qwen2-5-vl-redact": Real(
        "Qwen2_5_VLForConditionalGeneration",
        {"vision_config": QWEN_TOWER, "text_config": QWEN2},
        8.29,
        430,
        "qwen2_5_vl",
    ),
    "llama-redact": Real("LlamaForCausalLM", LLAMA, 8.03, 64, "llama"),
    "qwen3-rename": Real("Qwen3ForCausalLM", QWEN3, 8.19, 64, "qwen3"),
    "gpt2-rewrite-fact": Real("GPT2LMHeadModel", {}, 0.124, 64, "gpt2"),
}
