"""The configuration of mPLUG-Owl2: a Llama's, and that of what sees. Part of editkit, Apache-2.0."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from transformers import LlamaConfig

# The sizes of the release; `visual_config` of a checkpoint may name others.
VISION: dict[str, Any] = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 448,
    "patch_size": 14,
    "layer_norm_eps": 1e-6,
}
ABSTRACTOR: dict[str, Any] = {
    "num_learnable_queries": 64,
    "hidden_size": 1024,
    "intermediate_size": 2816,
    "num_hidden_layers": 6,
    "num_attention_heads": 16,
    "encoder_hidden_size": 1024,
    "layer_norm_eps": 1e-6,
    "grid_size": 32,
}


class MPLUGOwl2Config(LlamaConfig):
    """`visual_config` has the two tables `visual_model` and `visual_abstractor`, as released."""

    model_type = "mplug_owl2"

    visual_config: dict[str, Any] | None = None
    image_token_index: int | None = None

    @property
    def vision_config(self) -> SimpleNamespace:
        return self._part("visual_model", VISION)

    @property
    def abstractor_config(self) -> SimpleNamespace:
        return self._part("visual_abstractor", ABSTRACTOR)

    def _part(self, name: str, known: dict[str, Any]) -> SimpleNamespace:
        given = (self.visual_config or {}).get(name, {})
        return SimpleNamespace(**{key: given.get(key) or value for key, value in known.items()})
