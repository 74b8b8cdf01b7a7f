"""Patches and checkpoints small enough to look at, written by libraries other than editkit."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from editkit.checkpoint import Checkpoint
from editkit.patch.file import Patch
from editkit.patch.format import Base, Contents, Entry, Method, Provenance
from editkit.patch.reader import read
from editkit.patch.rows import rounded
from editkit.patch.writer import pieces
from tests.patch.tensors import make_base

BASE = Base("demo/scenes", "0" * 40, "bfloat16", "a" * 64)
PROVENANCE = Provenance(
    recipe_digest="b" * 64,
    locate=Method("contribution", {"top": 8, "layers": "all", "nested": [1, {"deep": None}]}),
    solve=Method("gradient", {"max_ratio": 2.0}),
    seed=7,
    versions={"torch": "2.13.0", "editkit": "0.1.0"},
    neuron_scores={"L1.N2": 0.5, "L1.E3.N0": -1.0},
    scores={"efficacy": {"before": 0.0, "after": 1.0, "control": None}},
    accepted=True,
    edits=("suppress hmac-0123456789abcdef",),
)


def entry(
    layer: int = 0, dtype: str = "BF16", neurons: tuple[int, ...] = (1, 4), d_model: int = 3, seed: int = 0
) -> Entry:
    draw = np.random.default_rng(seed)
    original, edited = (
        rounded(draw.normal(size=(len(neurons), d_model)).astype(np.float32), dtype) for _ in range(2)
    )
    return Entry(
        kind="rows",
        module=f"model.layers.{layer}.mlp.down_proj",
        tensor=f"layers.{layer}.mlp.down_proj.weight",
        layer=layer,
        expert=None,
        orientation="columns",
        shape=(d_model, 8),
        base_digest="c" * 64,
        edited_digest="d" * 64,
        dtype=dtype,
        neurons=np.array(neurons, np.int64),
        original=original,
        edited=edited,
    )


@pytest.fixture(scope="session")
def make_entry() -> Callable[..., Entry]:
    return entry


@pytest.fixture(scope="session")
def patch() -> Patch:
    """Two layers of BF16 and one expert of F32."""
    expert = replace(entry(2, "F32", (0, 7), seed=2), expert=3, shape=(5, 3, 8))
    return Patch(BASE, (entry(0), entry(1, neurons=(5,), seed=1), expert), PROVENANCE)


@pytest.fixture(scope="session")
def to_bytes() -> Callable[[Contents], bytes]:
    return lambda contents: b"".join(pieces(contents))


@pytest.fixture(scope="session")
def from_bytes() -> Callable[[bytes], Contents]:
    return lambda content: read(io.BytesIO(content), len(content))


@pytest.fixture(scope="session")
def make_checkpoint() -> Callable[..., Checkpoint]:
    """`make_checkpoint(folder, {name: torch tensor})`."""

    def make(folder: Path, tensors: dict[str, torch.Tensor], **config: Any) -> Checkpoint:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config))
        save_file(tensors, folder / "model.safetensors")
        return Checkpoint.open(folder)

    return make


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Checkpoint]:
    """`bases("BF16")`: a checkpoint of small tensors in every layout, written once."""
    return cache(lambda dtype: make_base(tmp_path_factory.mktemp("base"), dtype))
