"""Tiny checkpoints of language models with one FFN per layer."""

from __future__ import annotations

from typing import Any, Final

from tests.families.family import Family, text

SLIDING: Final = "sliding_attention"
FULL: Final = "full_attention"
# Layers of several kinds, and a window that short prompts go beyond.
ALTERNATE: Final[dict[str, Any]] = {
    "num_hidden_layers": 3,
    "layer_types": [SLIDING, SLIDING, FULL],
    "sliding_window": 8,
}
WIDE: Final[dict[str, Any]] = {"head_dim": 16}  # the heads together are wider than the model, as in Gemma
PARTIAL: Final[dict[str, Any]] = {
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}
}
# Greedy decoding has to switch all of this off; any of the ids ends the answer.
SAMPLED: Final[dict[str, Any]] = {
    "do_sample": True,
    "temperature": 0.7,
    "top_p": 0.8,
    "top_k": 20,
    "repetition_penalty": 1.1,
    "eos_token_id": [2, 0],
}

TEXT: Final[tuple[Family, ...]] = (
    text("gpt2", "openai-community/gpt2", "gpt2", "GPT2LMHeadModel"),
    text(
        "gpt_neo",
        "EleutherAI/gpt-neo-125m",
        "gpt2",
        "GPTNeoForCausalLM",
        num_layers=3,
        attention_types=[[["global", "local"], 1], [["global"], 1]],
        window_size=8,
    ),
    text("gptj", "EleutherAI/gpt-j-6b", "gpt2", "GPTJForCausalLM", rotary_dim=4),
    text("gpt_neox", "EleutherAI/pythia-160m", "neox", "GPTNeoXForCausalLM"),
    text("opt", "facebook/opt-125m", "opt", "OPTForCausalLM"),
    text(
        "opt350m",
        "facebook/opt-350m: narrower embeddings, no final norm",
        "opt",
        "OPTForCausalLM",
        word_embed_proj_dim=16,
        do_layer_norm_before=False,
    ),
    text("bloom", "bigscience/bloom-560m", "bloom", "BloomForCausalLM"),
    text("falcon", "tiiuae/falcon-7b", "falcon", "FalconForCausalLM", multi_query=True),
    text(
        "falcon_new",
        "tiiuae/falcon-40b: two norms in parallel",
        "falcon",
        "FalconForCausalLM",
        new_decoder_architecture=True,
        num_kv_heads=2,
    ),
    text("mpt", "mosaicml/mpt-7b", "neox", "MptForCausalLM"),
    text("llama", "meta-llama/Llama-3.2-1B-Instruct", "llama3", "LlamaForCausalLM", tie_word_embeddings=True),
    text("mistral", "mistralai/Mistral-7B-Instruct-v0.1", "mistral", "MistralForCausalLM", sliding_window=8),
    text(
        "qwen2",
        "Qwen/Qwen2.5-0.5B-Instruct",
        "qwen2",
        "Qwen2ForCausalLM",
        tie_word_embeddings=True,
        generation=SAMPLED,
    ),
    text("qwen3", "Qwen/Qwen3-8B", "qwen2", "Qwen3ForCausalLM", **WIDE),
    text("gemma", "google/gemma-2b-it", "gemma", "GemmaForCausalLM", **WIDE),
    text(
        "gemma2",
        "google/gemma-2-2b-it",
        "gemma",
        "Gemma2ForCausalLM",
        query_pre_attn_scalar=16,
        **WIDE,
        **ALTERNATE,
    ),
    text(
        "gemma3_text",
        "google/gemma-3-1b-it",
        "gemma",
        "Gemma3ForCausalLM",
        query_pre_attn_scalar=16,
        **WIDE,
        **ALTERNATE,
    ),
    text(
        "gemma4_text",
        "google/gemma-4-E2B-it: per-layer inputs, a layer of twice the width",
        "gemma",
        "Gemma4ForCausalLM",
        **WIDE | ALTERNATE | {"layer_types": [SLIDING, FULL, FULL]},
        global_head_dim=16,
        hidden_size_per_layer_input=8,
        vocab_size_per_layer_input=400,
        num_kv_shared_layers=1,
        use_double_wide_mlp=True,
        final_logit_softcapping=30.0,
    ),
    text("phi", "microsoft/phi-2", "gpt2", "PhiForCausalLM", **PARTIAL),
    text("phi3", "microsoft/Phi-3-mini-4k-instruct", "phi3", "Phi3ForCausalLM", sliding_window=8),
    text(
        "stablelm", "stabilityai/stablelm-2-1_6b", "neox", "StableLmForCausalLM", use_qkv_bias=True, **PARTIAL
    ),
    text("cohere", "CohereLabs/c4ai-command-r-v01", "cohere", "CohereForCausalLM", logit_scale=0.5),
    text(
        "cohere2",
        "CohereLabs/c4ai-command-r7b-12-2024",
        "cohere",
        "Cohere2ForCausalLM",
        logit_scale=0.4,
        **ALTERNATE,
    ),
    text("olmo", "allenai/OLMo-1B-hf", "neox", "OlmoForCausalLM", clip_qkv=8.0),
    text("olmo2", "allenai/OLMo-2-0425-1B", "olmo2", "Olmo2ForCausalLM"),
    text(
        "granite",
        "ibm-granite/granite-3.1-2b-instruct: multipliers",
        "granite",
        "GraniteForCausalLM",
        embedding_multiplier=12.0,
        attention_multiplier=0.125,
        residual_multiplier=0.22,
        logits_scaling=2.0,
        tie_word_embeddings=True,
    ),
    text("starcoder2", "bigcode/starcoder2-3b", "gpt2", "Starcoder2ForCausalLM", sliding_window=8),
    text(
        "t5",
        "google-t5/t5-small",
        "t5",
        "T5ForConditionalGeneration",
        encoder_decoder=True,
        decoder_start_token_id=0,
        feed_forward_proj="relu",
    ),
    text(
        "flan_t5",
        "google/flan-t5-small",
        "t5",
        "T5ForConditionalGeneration",
        encoder_decoder=True,
        decoder_start_token_id=0,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
    ),
    text(
        "qwen3_5_text",
        "Qwen/Qwen3.5-0.8B, its text part",
        "qwen3_5",
        "Qwen3_5ForCausalLM",
        num_hidden_layers=3,
        layer_types=["linear_attention", "linear_attention", FULL],
        **WIDE,
        linear_num_key_heads=2,
        linear_num_value_heads=4,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
        tie_word_embeddings=True,
    ),
)
