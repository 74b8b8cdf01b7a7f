"""What the originals compute, from their papers and layouts: plain functions of published weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import conv2d, gelu, layer_norm, linear, silu

from tests.convert.published import LLAMA, OWL_ABSTRACTOR, OWL_VISION

State = Mapping[str, Tensor]


def dense(state: State, name: str, hidden: Tensor) -> Tensor:
    return linear(hidden, state[f"{name}.weight"], state.get(f"{name}.bias"))


def normed(state: State, name: str, hidden: Tensor, eps: float) -> Tensor:
    return layer_norm(hidden, hidden.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], eps)


def attended(query: Tensor, key: Tensor, value: Tensor, head: int, mask: Tensor | None = None) -> Tensor:
    """Each head by itself: columns `[at, at + head)` of all three."""
    out = []
    for at in range(0, query.shape[-1], head):
        q, k, v = (part[..., at : at + head] for part in (query, key, value))
        scores = q @ k.transpose(-1, -2) * head**-0.5
        out.append((scores if mask is None else scores + mask).softmax(-1) @ v)
    return torch.cat(out, dim=-1)


def eva_vit(state: State, pixels: Tensor, blocks: int) -> Tensor:
    """LAVIS' tower: what leaves the last block, before `ln_vision`."""
    patches = conv2d(pixels, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=14)
    patches = patches.flatten(2).transpose(1, 2)
    hidden = torch.cat([state["cls_token"].expand(len(patches), -1, -1), patches], 1) + state["pos_embed"]
    for number in range(blocks):
        name = f"blocks.{number}"
        inside = normed(state, f"{name}.norm1", hidden, 1e-6)
        query, key, value = linear(inside, state[f"{name}.attn.qkv.weight"]).chunk(3, -1)
        query, value = query + state[f"{name}.attn.q_bias"], value + state[f"{name}.attn.v_bias"]
        hidden = hidden + dense(state, f"{name}.attn.proj", attended(query, key, value, 88))
        inside = normed(state, f"{name}.norm2", hidden, 1e-6)
        hidden = hidden + dense(state, f"{name}.mlp.fc2", gelu(dense(state, f"{name}.mlp.fc1", inside)))
    return hidden


def q_former(state: State, patches: Tensor, layers: int) -> Tensor:
    """BERT over the queries, looking at the patches in every other layer."""
    seen = normed(state, "ln_vision", patches, 1e-5)
    queries = state["query_tokens"].expand(len(seen), -1, -1)
    hidden = normed(state, "Qformer.bert.embeddings.LayerNorm", queries, 1e-12)
    for number in range(layers):
        name = f"Qformer.bert.encoder.layer.{number}"
        for kind, asked in (("attention", None), ("crossattention", seen)):
            if f"{name}.{kind}.self.query.weight" not in state:
                continue
            source = hidden if asked is None else asked
            query = dense(state, f"{name}.{kind}.self.query", hidden)
            key, value = (dense(state, f"{name}.{kind}.self.{one}", source) for one in ("key", "value"))
            out = dense(state, f"{name}.{kind}.output.dense", attended(query, key, value, 64))
            hidden = normed(state, f"{name}.{kind}.output.LayerNorm", out + hidden, 1e-12)
        inner = gelu(dense(state, f"{name}.intermediate_query.dense", hidden))
        out = dense(state, f"{name}.output_query.dense", inner)
        hidden = normed(state, f"{name}.output_query.LayerNorm", out + hidden, 1e-12)
    return hidden


def rms(weight: Tensor, hidden: Tensor, eps: float) -> Tensor:
    return weight * hidden / (hidden.square().mean(-1, keepdim=True) + eps).sqrt()


def turned(hidden: Tensor, head: int) -> Tensor:
    """Rotary positions of a Llama: in each head, number i turns with number i + head / 2."""
    speeds = 10_000.0 ** (-torch.arange(0, head, 2) / head)
    angles = torch.arange(hidden.shape[-2])[:, None] * speeds
    out = []
    for at in range(0, hidden.shape[-1], head):
        first, second = hidden[..., at : at + head].chunk(2, -1)
        out += [first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()]
    return torch.cat(out, dim=-1)


def owl_decoder(state: State, embedded: Tensor, pictured: list[bool], eps: float = 1e-5) -> Tensor:
    """Logits `[tokens, d_vocab]`; a picture's tokens go through way 1, all others through way 0."""
    head = LLAMA["hidden_size"] // LLAMA["num_attention_heads"]
    later = torch.full((len(embedded), len(embedded)), -torch.inf).triu(1)

    def way(name: str, hidden: Tensor) -> list[Tensor]:
        return [state[f"{name}.multiway.{int(one)}.weight"] for one in pictured]

    hidden = embedded
    for number in range(LLAMA["num_hidden_layers"]):
        name = f"model.layers.{number}"
        weights = way(f"{name}.input_layernorm", hidden)
        inside = torch.stack([rms(w, token, eps) for w, token in zip(weights, hidden, strict=True)])
        key, value = (
            torch.stack(
                [w @ token for w, token in zip(way(f"{name}.self_attn.{one}", inside), inside, strict=True)]
            )
            for one in ("k_proj", "v_proj")
        )
        query = dense(state, f"{name}.self_attn.q_proj", inside)
        out = attended(turned(query, head), turned(key, head), value, head, later)
        hidden = hidden + dense(state, f"{name}.self_attn.o_proj", out)
        weights = way(f"{name}.post_attention_layernorm", hidden)
        inside = torch.stack([rms(w, token, eps) for w, token in zip(weights, hidden, strict=True)])
        inner = silu(dense(state, f"{name}.mlp.gate_proj", inside)) * dense(
            state, f"{name}.mlp.up_proj", inside
        )
        hidden = hidden + dense(state, f"{name}.mlp.down_proj", inner)
    return dense(state, "lm_head", rms(state["model.norm.weight"], hidden, eps))


def owl_sees(state: State, pixels: Tensor) -> Tensor:
    """`[n, queries + 1, d_model]`: the tower's patches, asked by the abstractor."""
    tower, eps = "model.vision_model", OWL_VISION["layer_norm_eps"]
    patches = conv2d(pixels, state[f"{tower}.embeddings.patch_embed.weight"], stride=14)
    first = state[f"{tower}.embeddings.cls_token"].expand(len(pixels), -1, -1)
    hidden = torch.cat([first, patches.flatten(2).transpose(1, 2)], 1)
    hidden = hidden + state[f"{tower}.embeddings.position_embedding"]
    hidden = normed(state, f"{tower}.embeddings.pre_layernorm", hidden, eps)
    for number in range(int(OWL_VISION["num_hidden_layers"])):
        name = f"{tower}.encoder.layers.{number}"
        inside = normed(state, f"{name}.input_layernorm", hidden, eps)
        # one head after the other: 8 numbers of its queries, 8 of its keys, 8 of its values
        mixed = dense(state, f"{name}.self_attn.query_key_value", inside).split(8, -1)
        query, key, value = (torch.cat(mixed[at::3], -1) for at in range(3))
        hidden = hidden + dense(state, f"{name}.self_attn.dense", attended(query, key, value, 8))
        inside = normed(state, f"{name}.post_attention_layernorm", hidden, eps)
        inner = dense(state, f"{name}.mlp.fc1", inside)
        hidden = hidden + dense(state, f"{name}.mlp.fc2", inner * (1.702 * inner).sigmoid())
    hidden = normed(state, f"{tower}.post_layernorm", hidden, eps)
    return _owl_asks(state, hidden)


def sines(position: float, width: int) -> list[float]:
    angles = [position / 10_000 ** (i / (width / 2)) for i in range(width // 2)]
    both = torch.tensor(angles, dtype=torch.float64)
    return [*both.sin().tolist(), *both.cos().tolist()]


def _owl_asks(state: State, patches: Tensor) -> Tensor:
    asks, wide, side = "model.visual_abstractor", patches.shape[-1], int(OWL_ABSTRACTOR["grid_size"])
    order = torch.tensor(
        [sines(query, wide) for query in range(int(OWL_ABSTRACTOR["num_learnable_queries"]))]
    )
    grid = [sines(column, wide // 2) + sines(row, wide // 2) for row in range(side) for column in range(side)]
    where = torch.cat([order, torch.zeros(1, wide), torch.tensor(grid)])
    hidden = state[f"{asks}.query_embeds"].expand(len(patches), -1, -1)
    for number in range(int(OWL_ABSTRACTOR["num_hidden_layers"])):
        name = f"{asks}.encoder.layers.{number}.crossattention"
        hidden = normed(state, f"{name}.norm1", hidden, 1e-5)
        asked = torch.cat([hidden, normed(state, f"{name}.normk", patches, 1e-5)], 1)
        query = dense(state, f"{name}.attention.query", hidden + order)
        key, value = (
            dense(state, f"{name}.attention.key", asked + where),
            dense(state, f"{name}.attention.value", asked),
        )
        hidden = hidden + dense(state, f"{name}.output.out_proj", attended(query, key, value, 8))
        inside = normed(state, f"{name}.output.norm2", hidden, 1e-5)
        inner = silu(dense(state, f"{name}.output.mlp.w1", inside)) * dense(
            state, f"{name}.output.mlp.w3", inside
        )
        inner = normed(state, f"{name}.output.mlp.ffn_ln", inner, OWL_ABSTRACTOR["layer_norm_eps"])
        hidden = hidden + dense(state, f"{name}.output.mlp.w2", inner)
    last = state[f"{asks}.vit_eos"].expand(len(patches), -1, -1)
    return torch.cat([dense(state, f"{asks}.visual_fc", hidden), last], 1)
