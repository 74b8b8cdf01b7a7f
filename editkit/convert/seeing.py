"""What BLIP-2 sees with: vision tower and Q-Former, from a folder of transformers or two files of LAVIS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch

from editkit.convert import lavis
from editkit.convert.folder import Planned
from editkit.convert.part import open_part, settings
from editkit.errors import ModelError
from editkit.events import Noted, Tell

FLAN_T5_XXL: Final = ("t5", 4096)
OTHER_QFORMER: Final = (
    "its text model is not Flan-T5-XXL: every BLIP-2 has a Q-Former of its own, and MiniGPT-4 was trained on "
    "that of blip2-flan-t5-xxl"
)
# What a config says of its own files.
UNSAID: Final = ("_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version")


@dataclass(frozen=True)
class Seeing:
    """Arguments for a `Blip2Config`, and tensors by their names in BLIP-2."""

    config: dict[str, Any]
    tensors: dict[str, Planned]


def sizes(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config without what it says of its own files."""
    return {key: value for key, value in config.items() if key not in UNSAID}


def of_blip2(folder: Path, dtype: torch.dtype, tell: Tell) -> Seeing:
    """What sees of a BLIP-2 in transformers' layout; its text model is left out.

    Raises:
        ModelError: it is none, or can't be read.
    """
    config, part = settings(folder), open_part(folder, tell)
    if config.get("model_type") != "blip-2":
        raise ModelError(f"{folder}: is a {config.get('model_type')}, not a BLIP-2")
    text = config.get("text_config") or {}
    if (text.get("model_type"), text.get("d_model")) != FLAN_T5_XXL:
        tell(Noted(f"{folder}: {OTHER_QFORMER}", warning=True))
    found = {}
    for name, shape in part.shapes.items():
        if name.startswith("vision_model."):
            found[name] = Planned("vision tower", shape, dtype, partial(part.read, name))
        elif name.startswith(("qformer.", "query_tokens")):
            found[name] = Planned("Q-Former", shape, torch.float32, partial(part.read, name))
    asked: dict[str, Any] = {
        "vision_config": sizes(config.get("vision_config") or {}),
        "qformer_config": sizes(config.get("qformer_config") or {}),
        "num_query_tokens": part.shape("query_tokens", 3, "a BLIP-2")[1],
    }
    return Seeing(asked, found)


def of_lavis(vision: Path, qformer: Path, dtype: torch.dtype, tell: Tell) -> Seeing:
    """The same of `eva_vit_g.pth` and `blip2_pretrained_flant5xxl.pth`.

    Raises:
        ModelError: one is another file, or can't be read.
    """
    tower, asks = open_part(vision, tell), open_part(qformer, tell)
    asked: dict[str, Any] = {
        "vision_config": lavis.vision_config(tower),
        "qformer_config": lavis.qformer_config(asks),
        "num_query_tokens": asks.shape("query_tokens", 3, lavis.QFORMER)[1],
    }
    return Seeing(asked, lavis.vision_tensors(tower, dtype) | lavis.qformer_tensors(asks, dtype))
