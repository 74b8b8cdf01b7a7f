"""Checkpoints of a Llama's shape and any size, made without building a model, and patches on them."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import IO

import numpy as np

from editkit.checkpoint import Checkpoint
from editkit.delta import Delta, LayerDelta
from editkit.patch.file import Patch
from editkit.patch.format import Base, Method, Provenance
from editkit.patch.make import Place, make_patch

D_MODEL, D_MLP, VOCABULARY, HEADS, KEY_HEADS = 2048, 5632, 32_000, 32, 4
NOISE_BYTES = 64 << 20
W_OUT = "model.layers.{}.mlp.down_proj.weight"


def shapes(n_layers: int, d_model: int = D_MODEL, d_mlp: int = D_MLP) -> dict[str, tuple[int, ...]]:
    """Every tensor of a Llama, in the order of the files."""
    keys = d_model // HEADS * KEY_HEADS
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (VOCABULARY, d_model)}
    for layer in range(n_layers):
        for name, shape in (
            ("input_layernorm", (d_model,)),
            ("self_attn.q_proj", (d_model, d_model)),
            ("self_attn.k_proj", (keys, d_model)),
            ("self_attn.v_proj", (keys, d_model)),
            ("self_attn.o_proj", (d_model, d_model)),
            ("post_attention_layernorm", (d_model,)),
            ("mlp.gate_proj", (d_mlp, d_model)),
            ("mlp.up_proj", (d_mlp, d_model)),
            ("mlp.down_proj", (d_model, d_mlp)),
        ):
            found[f"model.layers.{layer}.{name}.weight"] = shape
    return found | {"model.norm.weight": (d_model,), "lm_head.weight": (VOCABULARY, d_model)}


def write_llama(folder: Path, n_bytes: int, shard_bytes: int) -> None:
    """A bfloat16 checkpoint of about `n_bytes` that transformers loads, in shards with an index."""
    one, two = (sum(int(np.prod(shape)) for shape in shapes(n).values()) for n in (1, 2))
    n_layers = max(1, round((n_bytes / 2 - one) / (two - one)) + 1)
    folder.mkdir(parents=True)
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "dtype": "bfloat16",
        "hidden_size": D_MODEL, "intermediate_size": D_MLP, "num_hidden_layers": n_layers,
        "num_attention_heads": HEADS, "num_key_value_heads": KEY_HEADS, "vocab_size": VOCABULARY,
        "max_position_embeddings": 2048, "tie_word_embeddings": False,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    shards: list[dict[str, tuple[int, ...]]] = [{}]
    filled = 0
    for name, shape in shapes(n_layers).items():
        size = 2 * int(np.prod(shape))
        if filled and filled + size > shard_bytes:
            shards.append({})
            filled = 0
        shards[-1][name] = shape
        filled += size
    draw = np.random.default_rng(0)
    values = draw.normal(0, 0.02, NOISE_BYTES // 2).astype(np.float32)
    noise = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    places, total = {}, 0
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        places |= dict.fromkeys(shard, file)
        with (folder / file).open("wb") as stream:
            total += _write(stream, shard, noise, number)
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _header(tensors: dict[str, tuple[int, ...]]) -> tuple[bytes, int]:
    table, at = {}, 0
    for name, shape in tensors.items():
        end = at + 2 * int(np.prod(shape))
        table[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps({"__metadata__": {"format": "pt"}, **table}).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, at


def _write(stream: IO[bytes], tensors: dict[str, tuple[int, ...]], noise: bytes, seed: int) -> int:
    header, total = _header(tensors)
    stream.write(header)
    left, at = total, 2 * 997 * seed  # no two shards are alike
    while left:
        piece = memoryview(noise)[at : at + left]
        stream.write(piece)
        left, at = left - len(piece), 0
    return total


def patch_of(folder: Path, layers: list[int], n_neurons: int) -> Patch:
    """A patch of so many neurons, spread over these layers."""
    checkpoint = Checkpoint.open(folder)
    draw = np.random.default_rng(1)
    parts, places = [], {}
    for layer, share in zip(layers, np.array_split(np.arange(n_neurons), len(layers)), strict=True):
        d_model, d_mlp = checkpoint.tensor(W_OUT.format(layer)).shape
        neurons = np.sort(draw.choice(d_mlp, len(share), replace=False))
        rows = draw.normal(0, 0.02, (len(share), d_model)).astype(np.float32)
        parts.append(LayerDelta(layer, None, tuple(neurons.tolist()), rows))
        name = W_OUT.format(layer)
        places[layer, None] = Place(name.removesuffix(".weight"), name, "columns")
    scores = {f"L{part.layer}.N{neuron}": 1 / 3 for part in parts for neuron in part.neurons}
    base = Base(f"sha256:{checkpoint.identity}", None, "bfloat16", checkpoint.config_digest)
    how = Provenance("0" * 64, Method("listed"), Method("gradient"), 0, neuron_scores=scores)
    return make_patch(Delta(tuple(parts)), places, checkpoint, base, how)


def patch_over(folder: Path, n_layers: int, n_neurons: int) -> Patch:
    """The same, spread evenly over so many of its layers."""
    last = sum(name.endswith("down_proj.weight") for name in Checkpoint.open(folder).tensors) - 1
    layers = sorted({round(at * last / (n_layers - 1)) for at in range(n_layers)})
    return patch_of(folder, layers, n_neurons)


def patch_bytes(d_model: int, d_mlp: int, layers: list[int], n_neurons: int, folder: Path) -> int:
    """How large such a patch is on disk, where only the tensors that it changes exist, as holes of zeros."""
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    header, total = _header({W_OUT.format(layer): (d_model, d_mlp) for layer in layers})
    with (folder / "model.safetensors").open("wb") as stream:
        stream.write(header)
        stream.truncate(len(header) + total)
    patch_of(folder, layers, n_neurons).save(folder / "p.editkit.safetensors")
    return (folder / "p.editkit.safetensors").stat().st_size
