"""mPLUG-Owl2: a Llama whose picture tokens have norms, keys and values of their own. Of editkit, Apache-2.0.

Ye et al. 2023, arXiv:2311.04257. In every layer both norms and the matrices of keys and values come twice:
the first for words, the second for pictures. Queries, output and the feed-forward network are shared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import DynamicCache, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast
from transformers.models.llama.modeling_llama import (
    LlamaMLP,
    LlamaRMSNorm,
    LlamaRotaryEmbedding,
    apply_rotary_pos_emb,
)

from .configuration_mplug_owl2 import MPLUGOwl2Config
from .vision_mplug_owl2 import (
    MPLUGOwl2VisionEmbeddings,
    MPLUGOwl2VisionModel,
    MPLUGOwl2VisualAbstractor,
    heads,
)

MODALITIES = ["image", "text"]
WHOLE = ["MPLUGOwl2DecoderLayer", "MPLUGOwl2VisionLayer", "MPLUGOwl2AbstractorLayer"]


class Multiway(nn.Module):
    """A module for words and another of its kind for pictures; each token goes through its own."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.multiway = nn.ModuleList([make(), make()])

    def forward(self, hidden: Tensor, pictured: Tensor | None) -> Tensor:
        words: Tensor = self.multiway[0](hidden)
        return words if pictured is None else torch.where(pictured, self.multiway[1](hidden), words)


class MPLUGOwl2Attention(nn.Module):
    def __init__(self, config: MPLUGOwl2Config, layer: int) -> None:
        super().__init__()
        self.layer, self.heads = layer, config.num_attention_heads
        self.kv_heads: int = config.num_key_value_heads or config.num_attention_heads
        linear = partial(nn.Linear, bias=config.attention_bias)
        narrow = config.hidden_size // self.heads * self.kv_heads
        self.q_proj = linear(config.hidden_size, config.hidden_size)
        self.k_proj = Multiway(partial(linear, config.hidden_size, narrow))
        self.v_proj = Multiway(partial(linear, config.hidden_size, narrow))
        self.o_proj = linear(config.hidden_size, config.hidden_size)

    def forward(
        self,
        hidden: Tensor,
        pictured: Tensor | None,
        turns: tuple[Tensor, Tensor],
        mask: Tensor,
        past: Any | None,
    ) -> Tensor:
        key = heads(self.k_proj(hidden, pictured), self.kv_heads)
        value = heads(self.v_proj(hidden, pictured), self.kv_heads)
        query, key = apply_rotary_pos_emb(heads(self.q_proj(hidden), self.heads), key, *turns)
        if past is not None:
            key, value = past.update(key, value, self.layer)
        if self.kv_heads < self.heads:
            key, value = (part.repeat_interleave(self.heads // self.kv_heads, 1) for part in (key, value))
        seen = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        out: Tensor = self.o_proj(seen.transpose(1, 2).flatten(2))
        return out


class MPLUGOwl2DecoderLayer(nn.Module):
    def __init__(self, config: MPLUGOwl2Config, layer: int) -> None:
        super().__init__()
        norm = partial(LlamaRMSNorm, config.hidden_size, eps=config.rms_norm_eps)
        self.self_attn = MPLUGOwl2Attention(config, layer)
        self.mlp = LlamaMLP(config)
        self.input_layernorm = Multiway(norm)
        self.post_attention_layernorm = Multiway(norm)

    def forward(
        self,
        hidden_states: Tensor,
        pictured: Tensor | None,
        turns: tuple[Tensor, Tensor],
        mask: Tensor,
        past: Any | None = None,
    ) -> Tensor:
        normed = self.input_layernorm(hidden_states, pictured)
        hidden = hidden_states + self.self_attn(normed, pictured, turns, mask, past)
        out: Tensor = hidden + self.mlp(self.post_attention_layernorm(hidden, pictured))
        return out


class MPLUGOwl2PreTrainedModel(PreTrainedModel):
    config_class = MPLUGOwl2Config
    base_model_prefix = "model"
    input_modalities = MODALITIES
    _supports_sdpa = True
    _no_split_modules = WHOLE

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)  # type: ignore[no-untyped-call]
        if isinstance(module, MPLUGOwl2VisionEmbeddings | MPLUGOwl2VisualAbstractor):
            for parameter in module.parameters(recurse=False):
                nn.init.normal_(parameter, std=self.config.initializer_range)


class MPLUGOwl2LlamaModel(MPLUGOwl2PreTrainedModel):
    """The decoder: embedded tokens `[n, tokens, d_model]` -> hidden states of the same shape."""

    def __init__(self, config: MPLUGOwl2Config) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            [MPLUGOwl2DecoderLayer(config, layer) for layer in range(config.num_hidden_layers)]
        )
        self.norm = LlamaRMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.rotary_emb = LlamaRotaryEmbedding(config=config)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self,
        inputs_embeds: Tensor,
        pictured: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any | None = None,
    ) -> Tensor:
        before = past_key_values.get_seq_length() if past_key_values is not None else 0
        order = before + torch.arange(inputs_embeds.shape[1], device=inputs_embeds.device)
        mask = _mask(order, attention_mask, inputs_embeds.dtype)
        turns = self.rotary_emb(inputs_embeds, order[None] if position_ids is None else position_ids)
        hidden = inputs_embeds
        for layer in self.layers:
            hidden = layer(hidden, pictured, turns, mask, past_key_values)
        out: Tensor = self.norm(hidden)
        return out


def _mask(order: Tensor, attention_mask: Tensor | None, dtype: torch.dtype) -> Tensor:
    """What may not be looked at, later tokens and padding, as the lowest number: `[1 or n, 1, new, all]`."""
    everything = torch.arange(int(order[-1]) + 1, device=order.device)
    seen = everything <= order[:, None]
    if attention_mask is not None:
        seen = seen & attention_mask[:, None, None, : len(everything)].bool()
    blocked = torch.full(seen.shape, torch.finfo(dtype).min, dtype=dtype, device=order.device)
    mask = blocked.masked_fill(seen, 0.0)
    return mask if mask.dim() == 4 else mask[None, None]


class MPLUGOwl2LlamaForCausalLM(MPLUGOwl2PreTrainedModel, GenerationMixin):
    """Where the text has the token `image_token_index`, one for each of a picture's, the picture is put.

    The token is no word: it stands behind the vocabulary, has no embedding, and is never said.
    """

    def __init__(self, config: MPLUGOwl2Config) -> None:
        super().__init__(config)
        self.vision_model = MPLUGOwl2VisionModel(config.vision_config)
        self.visual_abstractor = MPLUGOwl2VisualAbstractor(config.abstractor_config, config.hidden_size)
        self.model = MPLUGOwl2LlamaModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()  # type: ignore[no-untyped-call]

    def get_decoder(self) -> nn.Module:
        decoder: nn.Module = self.model
        return decoder

    def get_input_embeddings(self) -> nn.Module:
        embedding: nn.Module = self.model.embed_tokens
        return embedding

    def get_output_embeddings(self) -> nn.Module:
        head: nn.Module = self.lm_head
        return head

    def get_image_features(self, pixel_values: Tensor) -> Tensor:
        """`[n, 3, side, side]` -> `[n, queries + 1, d_model]`."""
        features: Tensor = self.visual_abstractor(self.vision_model(pixel_values))
        return features

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int = 0,
        **others: Any,
    ) -> CausalLMOutputWithPast:
        pictured = None
        if inputs_embeds is None:
            if input_ids is None:
                raise ValueError("give input_ids or inputs_embeds")
            inputs_embeds, pictured = self._embed(input_ids, pixel_values)
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        hidden = self.model(inputs_embeds, pictured, attention_mask, position_ids, past_key_values)
        kept = hidden[:, -logits_to_keep:] if logits_to_keep else hidden
        return CausalLMOutputWithPast(logits=self.lm_head(kept), past_key_values=past_key_values)

    def _embed(self, input_ids: Tensor, pixel_values: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Embeddings `[n, tokens, d_model]`, and which tokens are a picture's `[n, tokens, 1]`."""
        pictured = (input_ids == self.config.image_token_index)[..., None]
        embedded: Tensor = self.model.embed_tokens(input_ids.masked_fill(pictured[..., 0], 0))
        if not pictured.any():
            return embedded, None
        if pixel_values is None:
            raise ValueError("the text has places for pictures, and no pictures are given")
        features = self.get_image_features(pixel_values).to(embedded.dtype)
        if features[..., 0].numel() != int(pictured.sum()):
            raise ValueError(
                f"the text has places for {int(pictured.sum())} tokens of pictures, "
                f"and the pictures make {features[..., 0].numel()}"
            )
        return embedded.masked_scatter(pictured, features), pictured
