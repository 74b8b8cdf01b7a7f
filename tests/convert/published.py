"""Tiny parts in the layout and the names in which the real ones are published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

D_VISION, D_QFORMER, D_MODEL = 176, 128, 32  # two heads each of 88, of 64
QUERIES: Final = 4
LLAMA: Final[dict[str, Any]] = {
    "hidden_size": D_MODEL,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,
    "tie_word_embeddings": False,
}
OWL_VISION: Final = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 28,
    "patch_size": 14,
    "layer_norm_eps": 1e-6,
}
OWL_ABSTRACTOR: Final = {
    "num_learnable_queries": QUERIES,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "encoder_hidden_size": 32,
    "layer_norm_eps": 1e-6,
    "grid_size": 2,
}


class Weights(dict[str, Tensor]):
    """Random weights, the same for the same name; no bias is zero and no norm one: leaving one out shows."""

    def add(self, name: str, *shape: int, around: float = 0.0, std: float = 0.3) -> None:
        generator = torch.Generator().manual_seed(sum(name.encode()) * 1_000 + len(self))
        self[name] = around + std * torch.randn(shape, generator=generator)

    def linear(self, name: str, wide: int, narrow: int, *, bias: bool = True) -> None:
        self.add(f"{name}.weight", wide, narrow, std=narrow**-0.5)
        if bias:
            self.add(f"{name}.bias", wide)

    def norm(self, name: str, wide: int, *, bias: bool = True) -> None:
        self.add(f"{name}.weight", wide, around=1.0)
        if bias:
            self.add(f"{name}.bias", wide)


def eva(blocks: int = 2, wide: int = D_VISION, side: int = 2) -> Weights:
    """`eva_vit_g.pth`: the bare names of LAVIS' tower, with a block and a norm that BLIP-2 leaves out."""
    found = Weights()
    found.add("cls_token", 1, 1, wide)
    found.add("pos_embed", 1, side * side + 1, wide)
    found.add("patch_embed.proj.weight", wide, 3, 14, 14, std=0.05)
    found.add("patch_embed.proj.bias", wide)
    for block in range(blocks):
        name = f"blocks.{block}"
        found.norm(f"{name}.norm1", wide)
        found.add(f"{name}.attn.q_bias", wide)
        found.add(f"{name}.attn.v_bias", wide)
        found.linear(f"{name}.attn.qkv", 3 * wide, wide, bias=False)
        found.linear(f"{name}.attn.proj", wide, wide)
        found.norm(f"{name}.norm2", wide)
        found.linear(f"{name}.mlp.fc1", 96, wide)
        found.linear(f"{name}.mlp.fc2", wide, 96)
    found.norm("norm", wide)
    return found


def qformer(layers: int = 3, seen: int = D_VISION) -> Weights:
    """`blip2_pretrained_flant5xxl.pth`: Q-Former, queries, the tower's last norm, and T5's projection."""
    wide, found = D_QFORMER, Weights()
    found.add("query_tokens", 1, QUERIES, wide)
    found.norm("ln_vision", seen)
    found["Qformer.bert.embeddings.position_ids"] = torch.arange(512)[None]
    found.norm("Qformer.bert.embeddings.LayerNorm", wide)
    for layer in range(layers):
        name = f"Qformer.bert.encoder.layer.{layer}"
        for kind in ("attention", "crossattention") if layer % 2 == 0 else ("attention",):
            asked = wide if kind == "attention" else seen
            found.linear(f"{name}.{kind}.self.query", wide, wide)
            found.linear(f"{name}.{kind}.self.key", wide, asked)
            found.linear(f"{name}.{kind}.self.value", wide, asked)
            found.linear(f"{name}.{kind}.output.dense", wide, wide)
            found.norm(f"{name}.{kind}.output.LayerNorm", wide)
        found.linear(f"{name}.intermediate_query.dense", 96, wide)
        found.linear(f"{name}.output_query.dense", wide, 96)
        found.norm(f"{name}.output_query.LayerNorm", wide)
    found.linear("t5_proj", 20, wide)
    return found


def projection(wide: int = D_MODEL, asks: int = D_QFORMER) -> Weights:
    """What `pretrained_minigpt4_7b.pth` has under "model": the projection, and the Llama's buffers."""
    found = Weights()
    found.linear("llama_proj", wide, asks)
    found["llama_model.model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
    return found


def vocabulary() -> dict[str, int]:
    """Bytes and letters as Llama has them, and `###` in its two spellings."""
    signs = [chr(code) for code in range(33, 127)]
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    return {piece: at for at, piece in enumerate([*pieces, *signs, "\u2581", "##", "\u2581##", "\u2581###"])}


def tokenizer(**settings: Any) -> Any:
    from transformers import LlamaTokenizer

    merges = [("#", "#"), ("\u2581", "##"), ("\u2581##", "#")]
    return LlamaTokenizer(vocab=vocabulary(), merges=merges, **settings)


def vicuna(folder: Path, *, pickled: bool = False, shards: int = 1, rows: int | None = None) -> Path:
    """A Llama folder with its tokenizer; pickled ones have the buffers of old releases."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    words = tokenizer()
    model = LlamaForCausalLM(LlamaConfig(vocab_size=rows or len(words), **LLAMA))
    folder.mkdir(parents=True)
    if not pickled:
        model.save_pretrained(folder)
    else:
        said = LLAMA | {"model_type": "llama", "vocab_size": rows or len(words), "rms_norm_eps": 1e-6}
        said |= {"architectures": ["LlamaForCausalLM"], "max_sequence_length": 512, "pad_token_id": 0}
        said |= {"torch_dtype": "float16", "transformers_version": "4.28.0", "_name_or_path": "vicuna"}
        (folder / "config.json").write_text(json.dumps(said))
        weights = dict(model.state_dict())
        for layer in range(LLAMA["num_hidden_layers"]):
            weights[f"model.layers.{layer}.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
        save_bins(folder, weights, shards)
    words.save_pretrained(folder)
    return folder


def save_bins(folder: Path, weights: Mapping[str, Tensor], shards: int) -> None:
    """`pytorch_model.bin`, or several with their index."""
    if shards == 1:
        torch.save(dict(weights), folder / "pytorch_model.bin")
        return
    places = {}
    for number in range(shards):
        name = f"pytorch_model-{number + 1}-of-{shards}.bin"
        names = [*weights][number::shards]
        torch.save({key: weights[key] for key in names}, folder / name)
        places |= dict.fromkeys(names, name)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": places}))


def owl() -> Weights:
    """The names of MAGAer13/mplug-owl2-llama2-7b."""
    found, wide, inner = Weights(), LLAMA["hidden_size"], LLAMA["intermediate_size"]
    rows = len(vocabulary())
    found.add("model.embed_tokens.weight", rows, wide)
    found.add("lm_head.weight", rows, wide)
    found.norm("model.norm", wide, bias=False)
    for layer in range(LLAMA["num_hidden_layers"]):
        name = f"model.layers.{layer}"
        for way in (0, 1):
            found.norm(f"{name}.input_layernorm.multiway.{way}", wide, bias=False)
            found.norm(f"{name}.post_attention_layernorm.multiway.{way}", wide, bias=False)
            found.linear(f"{name}.self_attn.k_proj.multiway.{way}", wide, wide, bias=False)
            found.linear(f"{name}.self_attn.v_proj.multiway.{way}", wide, wide, bias=False)
        found.linear(f"{name}.self_attn.q_proj", wide, wide, bias=False)
        found.linear(f"{name}.self_attn.o_proj", wide, wide, bias=False)
        found.linear(f"{name}.mlp.gate_proj", inner, wide, bias=False)
        found.linear(f"{name}.mlp.up_proj", inner, wide, bias=False)
        found.linear(f"{name}.mlp.down_proj", wide, inner, bias=False)
        found[f"{name}.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
    _owl_sees(found, wide)
    return found


def _owl_sees(found: Weights, d_model: int) -> None:
    wide, tower = OWL_VISION["hidden_size"], "model.vision_model"
    found.add(f"{tower}.embeddings.cls_token", 1, 1, wide)
    found.add(f"{tower}.embeddings.patch_embed.weight", wide, 3, 14, 14, std=0.05)
    found.add(f"{tower}.embeddings.position_embedding", 1, 5, wide)
    found.norm(f"{tower}.embeddings.pre_layernorm", wide)
    found.norm(f"{tower}.post_layernorm", wide)
    for layer in range(OWL_VISION["num_hidden_layers"]):
        name = f"{tower}.encoder.layers.{layer}"
        found.norm(f"{name}.input_layernorm", wide)
        found.norm(f"{name}.post_attention_layernorm", wide)
        found.linear(f"{name}.self_attn.query_key_value", 3 * wide, wide)
        found.linear(f"{name}.self_attn.dense", wide, wide)
        found.linear(f"{name}.mlp.fc1", 48, wide)
        found.linear(f"{name}.mlp.fc2", wide, 48)
    asks = "model.visual_abstractor"
    found.add(f"{asks}.query_embeds", 1, QUERIES, wide)
    found.linear(f"{asks}.visual_fc", d_model, wide)
    found.add(f"{asks}.vit_eos", 1, 1, d_model)
    for layer in range(OWL_ABSTRACTOR["num_hidden_layers"]):
        name = f"{asks}.encoder.layers.{layer}.crossattention"
        for matrix in ("query", "key", "value"):
            found.linear(f"{name}.attention.{matrix}", wide, wide)
        for norm in ("norm1", "normk", "output.norm2"):
            found.norm(f"{name}.{norm}", wide)
        found.linear(f"{name}.output.out_proj", wide, wide)
        found.linear(f"{name}.output.mlp.w1", 40, wide)
        found.linear(f"{name}.output.mlp.w2", wide, 40)
        found.linear(f"{name}.output.mlp.w3", 40, wide)
        found.norm(f"{name}.output.mlp.ffn_ln", 40)


def mplug_owl2(folder: Path, *, shards: int = 3, **others: Any) -> Path:
    """The folder of the release: pickled shards, a Llama's tokenizer, no code."""
    folder.mkdir(parents=True)
    save_bins(folder, owl(), shards)
    config = LLAMA | {
        "architectures": ["MPLUGOwl2LlamaForCausalLM"],
        "model_type": "mplug_owl2",
        "torch_dtype": "float16",
        "vocab_size": len(vocabulary()),
        "rms_norm_eps": 1e-5,
        "visual_config": {"visual_model": OWL_VISION, "visual_abstractor": OWL_ABSTRACTOR},
    }
    (folder / "config.json").write_text(json.dumps(config | others))
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {"crop_size": 28, "image_mean": [0.5, 0.4, 0.3], "image_processor_type": "CLIPImageProcessor"}
        )
    )
    tokenizer().save_pretrained(folder)
    return folder
