"""What tests of merged folders share: patches on any checkpoint, folders compared byte by byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from editkit.checkpoint import Checkpoint, Orientation
from editkit.delta import Delta, LayerDelta
from editkit.patch.file import Patch
from editkit.patch.format import Base, Method, Provenance
from editkit.patch.make import Place, make_patch

PROVENANCE = Provenance("0" * 64, Method("listed"), Method("gradient"), 0)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path in it."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def patch_on(
    folder: Path,
    tensors: tuple[str, ...],
    neurons: tuple[int, ...] = (1, 5, 30),
    *,
    orientation: Orientation = "columns",
    experts: tuple[int, ...] = (),
    seed: int = 0,
    accepted: bool | None = None,
) -> Patch:
    """A patch of random rows as large as the ones that stand there."""
    checkpoint, draw = Checkpoint.open(folder), np.random.default_rng(seed)
    parts, places = [], {}
    for layer, tensor in enumerate(tensors):
        shape = checkpoint.tensor(tensor).shape
        d_model = shape[-1] if orientation == "rows" else shape[-2]
        for expert in experts or (None,):
            rows = draw.normal(size=(len(neurons), d_model)).astype(np.float32)
            parts.append(LayerDelta(layer, expert, neurons, rows))
            module = tensor.removesuffix(".weight")
            places[layer, expert] = Place(module, tensor, orientation, fused=bool(experts))
    base = Base(f"sha256:{checkpoint.identity}", None, "float32", checkpoint.config_digest)
    made = replace(PROVENANCE, accepted=accepted)
    return make_patch(Delta(tuple(parts)), places, checkpoint, base, made)


def w_out(folder: Path, ending: str = "mlp.down_proj.weight") -> tuple[str, ...]:
    """The W_outs of a tiny Llama's or LLaVA's decoder."""
    names = sorted(Checkpoint.open(folder).tensors)
    return tuple(name for name in names if name.endswith(ending) and "vision" not in name)


def differing(one: Path, other: Path) -> set[str]:
    """The tensors whose bytes differ between two checkpoints of the same names."""
    left, right = Checkpoint.open(one), Checkpoint.open(other)
    assert left.tensors.keys() == right.tensors.keys()
    return {name for name in left.tensors if left.digest(name) != right.digest(name)}


def logits(model: Any, ids: Any) -> Any:
    import torch

    with torch.no_grad():
        return model.eval()(input_ids=ids).logits
