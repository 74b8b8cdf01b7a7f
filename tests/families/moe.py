"""Tiny checkpoints of language models whose layers have experts."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from tests.families.family import Family, text

DEEPSEEK: Final[dict[str, Any]] = {
    "num_hidden_layers": 3,
    "num_key_value_heads": 4,
    "first_k_dense_replace": 1,
    "n_routed_experts": 4,
    "n_shared_experts": 2,
    "moe_intermediate_size": 24,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 4,
    "v_head_dim": 8,
}
YARN: Final[dict[str, Any]] = {
    "rope_type": "yarn",
    "rope_theta": 150000.0,
    "factor": 2.0,
    "original_max_position_embeddings": 64,
    "truncate": False,
}

moe = partial(text, moe=True, num_experts_per_tok=2)

MOE: Final[tuple[Family, ...]] = (
    moe(
        "mixtral",
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
        "mistral",
        "MixtralForCausalLM",
        num_local_experts=4,
    ),
    moe(
        "qwen2_moe",
        "Qwen/Qwen1.5-MoE-A2.7B-Chat: a shared expert with a gate",
        "qwen2",
        "Qwen2MoeForCausalLM",
        num_experts=4,
        moe_intermediate_size=24,
        shared_expert_intermediate_size=40,
    ),
    moe(
        "qwen3_moe",
        "Qwen/Qwen3-30B-A3B",
        "qwen2",
        "Qwen3MoeForCausalLM",
        num_experts=4,
        moe_intermediate_size=24,
        norm_topk_prob=True,
        head_dim=16,
    ),
    moe(
        "gpt_oss",
        "openai/gpt-oss-20b: experts with biases, down_proj not transposed",
        "gpt_oss",
        "GptOssForCausalLM",
        num_local_experts=4,
        head_dim=16,
        num_hidden_layers=3,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        sliding_window=8,
        rope_parameters=YARN,
    ),
    moe(
        "deepseek_v2",
        "deepseek-ai/DeepSeek-V2-Lite: a dense layer, then shared and routed experts",
        "deepseek",
        "DeepseekV2ForCausalLM",
        q_lora_rank=None,
        **DEEPSEEK,
    ),
    moe(
        "deepseek_v3",
        "deepseek-ai/DeepSeek-V3: the same with groups of experts",
        "deepseek",
        "DeepseekV3ForCausalLM",
        q_lora_rank=16,
        n_group=2,
        topk_group=1,
        routed_scaling_factor=2.5,
        **DEEPSEEK,
    ),
    moe("olmoe", "allenai/OLMoE-1B-7B-0924", "neox", "OlmoeForCausalLM", num_experts=4),
    moe(
        "granitemoe",
        "ibm-granite/granite-3.1-1b-a400m-instruct: multipliers",
        "granite",
        "GraniteMoeForCausalLM",
        num_local_experts=4,
        embedding_multiplier=12.0,
        attention_multiplier=0.125,
        residual_multiplier=0.22,
        logits_scaling=2.0,
        tie_word_embeddings=True,
    ),
)
