"""A checkpoint whose class is code in its own folder, with names nobody has told editkit of."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zlib import crc32

from tests.families.family import SIZES, ids
from tests.families.words import words

CODE: Final = """
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM


class OddConfig(LlamaConfig):
    model_type = "odd"


class Feed(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.out = nn.Linear(config.hidden_size, config.intermediate_size)
        self.back = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden):
        return self.back(self.out(hidden).relu())


class OddForCausalLM(LlamaForCausalLM):
    config_class = OddConfig

    def __init__(self, config):
        super().__init__(config)
        for layer in self.model.layers:
            layer.mlp = Feed(config)
        self.post_init()
"""
AUTO: Final = {"AutoConfig": "modeling_odd.OddConfig", "AutoModelForCausalLM": "modeling_odd.OddForCausalLM"}


def build_odd(folder: Path) -> None:
    """Write it: random weights, a tokenizer, and the code that its `auto_map` names."""
    import json

    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(crc32(b"odd"))
    folder.mkdir(parents=True)
    (folder / "modeling_odd.py").write_text(CODE, encoding="utf-8")
    tokenizer = words("mistral")
    config = {"model_type": "odd", "auto_map": AUTO, **ids(tokenizer), **SIZES}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    read = AutoConfig.from_pretrained(folder, trust_remote_code=True)
    model = AutoModelForCausalLM.from_config(read, trust_remote_code=True)
    model.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    tokenizer.save_pretrained(folder)
