"""How mPLUG-Owl2 sees: a ViT, and an abstractor that asks it. Part of editkit, Apache-2.0.

Ye et al. 2023, arXiv:2311.04257. Names of the modules are those of the released weights.
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention, silu


def waves(positions: Tensor, width: int) -> Tensor:
    """Sines and then cosines of positions at `width / 2` frequencies, float32 `[n, width]`."""
    steps = torch.arange(width // 2, dtype=torch.float32, device=positions.device) / (width / 2)
    angles = positions.float()[:, None] / 10_000**steps
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def places(side: int, width: int, device: torch.device) -> Tensor:
    """Where each patch is, float32 `[1 + side * side, width]`; the class token is nowhere, so zeros."""
    line = torch.arange(side, device=device)
    columns, rows = line.repeat(side), line.repeat_interleave(side)
    grid = torch.cat([waves(columns, width // 2), waves(rows, width // 2)], dim=1)
    return torch.cat([grid.new_zeros(1, width), grid])


def heads(hidden: Tensor, count: int) -> Tensor:
    """`[n, tokens, d]` -> `[n, heads, tokens, d / heads]`."""
    split: Tensor = hidden.unflatten(-1, (count, -1))
    return split.transpose(1, 2)


class MPLUGOwl2VisionEmbeddings(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        patch = config.patch_size
        count = (config.image_size // patch) ** 2
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.patch_embed = nn.Conv2d(3, config.hidden_size, patch, stride=patch, bias=False)
        self.position_embedding = nn.Parameter(torch.zeros(1, count + 1, config.hidden_size))
        self.pre_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, pixel_values: Tensor) -> Tensor:
        patches = self.patch_embed(pixel_values.to(self.patch_embed.weight.dtype)).flatten(2).transpose(1, 2)
        first = self.cls_token.expand(len(patches), -1, -1)
        hidden: Tensor = self.pre_layernorm(torch.cat([first, patches], dim=1) + self.position_embedding)
        return hidden


class MPLUGOwl2VisionAttention(nn.Module):
    """Queries, keys and values come out of one matrix, head by head."""

    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.query_key_value = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        query, key, value = heads(self.query_key_value(hidden), self.heads).chunk(3, dim=-1)
        seen = scaled_dot_product_attention(query, key, value)
        out: Tensor = self.dense(seen.transpose(1, 2).flatten(2))
        return out


class MPLUGOwl2VisionMLP(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        inner = self.fc1(hidden)
        out: Tensor = self.fc2(inner * torch.sigmoid(1.702 * inner))
        return out


class MPLUGOwl2VisionLayer(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.self_attn = MPLUGOwl2VisionAttention(config)
        self.input_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = MPLUGOwl2VisionMLP(config)
        self.post_attention_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = hidden + self.self_attn(self.input_layernorm(hidden))
        out: Tensor = hidden + self.mlp(self.post_attention_layernorm(hidden))
        return out


class Stack(nn.Module):
    """Layers under the name that the released weights have for them."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)


class MPLUGOwl2VisionModel(nn.Module):
    """Pictures `[n, 3, side, side]` -> `[n, 1 + patches, d_vision]`."""

    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.embeddings = MPLUGOwl2VisionEmbeddings(config)
        self.encoder = Stack([MPLUGOwl2VisionLayer(config) for _ in range(config.num_hidden_layers)])
        self.post_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, pixel_values: Tensor) -> Tensor:
        hidden = self.embeddings(pixel_values)
        for layer in self.encoder.layers:
            hidden = layer(hidden)
        out: Tensor = self.post_layernorm(hidden)
        return out


class MPLUGOwl2AbstractorAttention(nn.Module):
    """Queries look at themselves and at the patches; places are added to queries and keys, not to values."""

    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.encoder_hidden_size, config.hidden_size)
        self.value = nn.Linear(config.encoder_hidden_size, config.hidden_size)

    def forward(self, asking: Tensor, asked: Tensor, where: Tensor) -> Tensor:
        query = heads(self.query(asking + where[: asking.shape[1]]), self.heads)
        key, value = heads(self.key(asked + where), self.heads), heads(self.value(asked), self.heads)
        return scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)


class MPLUGOwl2AbstractorMLP(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.w1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.w2 = nn.Linear(config.intermediate_size, config.hidden_size)
        self.w3 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.ffn_ln = nn.LayerNorm(config.intermediate_size, eps=config.layer_norm_eps)

    def forward(self, hidden: Tensor) -> Tensor:
        out: Tensor = self.w2(self.ffn_ln(silu(self.w1(hidden)) * self.w3(hidden)))
        return out


class MPLUGOwl2AbstractorOutput(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.out_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm2 = nn.LayerNorm(config.hidden_size)
        self.mlp = MPLUGOwl2AbstractorMLP(config)

    def forward(self, seen: Tensor, asking: Tensor) -> Tensor:
        hidden = asking + self.out_proj(seen)
        out: Tensor = hidden + self.mlp(self.norm2(hidden))
        return out


class MPLUGOwl2AbstractorCross(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.attention = MPLUGOwl2AbstractorAttention(config)
        self.output = MPLUGOwl2AbstractorOutput(config)
        self.norm1 = nn.LayerNorm(config.hidden_size)
        self.normk = nn.LayerNorm(config.encoder_hidden_size)

    def forward(self, asking: Tensor, patches: Tensor, where: Tensor) -> Tensor:
        asking = self.norm1(asking)  # the normed queries are also what the layer's output is added to
        asked = torch.cat([asking, self.normk(patches)], dim=1)
        out: Tensor = self.output(self.attention(asking, asked, where), asking)
        return out


class MPLUGOwl2AbstractorLayer(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.crossattention = MPLUGOwl2AbstractorCross(config)

    def forward(self, asking: Tensor, patches: Tensor, where: Tensor) -> Tensor:
        out: Tensor = self.crossattention(asking, patches, where)
        return out


class MPLUGOwl2VisualAbstractor(nn.Module):
    """Patches `[n, 1 + patches, d_vision]` -> what the language model reads, `[n, queries + 1, d_model]`."""

    def __init__(self, config: SimpleNamespace, d_model: int) -> None:
        super().__init__()
        self.grid_size = config.grid_size
        self.encoder = Stack([MPLUGOwl2AbstractorLayer(config) for _ in range(config.num_hidden_layers)])
        self.visual_fc = nn.Linear(config.hidden_size, d_model)
        self.query_embeds = nn.Parameter(torch.zeros(1, config.num_learnable_queries, config.hidden_size))
        self.vit_eos = nn.Parameter(torch.zeros(1, 1, d_model))

    def forward(self, patches: Tensor) -> Tensor:
        count, width = self.query_embeds.shape[1:]
        order = waves(torch.arange(count, device=patches.device), width)
        where = torch.cat([order, places(self.grid_size, width, patches.device)]).to(patches.dtype)
        asking: Tensor = self.query_embeds.expand(len(patches), -1, -1)
        for layer in self.encoder.layers:
            asking = layer(asking, patches, where)
        return torch.cat([self.visual_fc(asking), self.vit_eos.expand(len(patches), -1, -1)], dim=1)
