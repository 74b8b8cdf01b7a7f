"""A patch knows the checkpoint it was made on, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from editkit.checkpoint import Checkpoint
from editkit.delta import Delta, LayerDelta
from editkit.errors import PatchError
from editkit.patch.file import Patch
from editkit.patch.make import Place, make_patch
from editkit.patch.rows import widen
from editkit.patch.verify import verify

Make = Callable[..., Checkpoint]


def ones(*neurons: int, layer: int = 0, width: int = 5) -> Delta:
    return Delta((LayerDelta(layer, None, neurons, np.ones((len(neurons), width), np.float32)),))


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {"a": torch.randn(5, 7), "b": torch.randn(5, 7), "other": torch.randn(3)}


@pytest.fixture
def base(tensors: dict[str, torch.Tensor], make_checkpoint: Make, tmp_path: Path) -> Checkpoint:
    return make_checkpoint(tmp_path / "base", tensors)


@pytest.fixture
def make(base: Checkpoint, patch: Patch) -> Callable[[Delta], Patch]:
    places: dict[tuple[int, int | None], Place] = {
        (0, None): Place("l.0", "a", "columns"),
        (1, None): Place("l.1", "b", "columns"),
    }
    return lambda delta: make_patch(delta, places, base, patch.base, patch.provenance)


def written(tensors: dict[str, torch.Tensor], patches: Iterable[Patch]) -> dict[str, torch.Tensor]:
    changed = {name: tensor.clone() for name, tensor in tensors.items()}
    for entry in (entry for patch in patches for entry in patch.entries):
        changed[entry.tensor][:, entry.neurons] = torch.from_numpy(widen(entry.edited, "F32").copy()).T
    return changed


def test_its_own_base_passes(base: Checkpoint, make: Callable[[Delta], Patch]) -> None:
    verify(make(Delta((*ones(1, 4).layers, *ones(2, layer=1).layers))), base)


def test_other_tensors_may_differ(
    tensors: dict[str, torch.Tensor],
    make: Callable[[Delta], Patch],
    make_checkpoint: Make,
    tmp_path: Path,
) -> None:
    tensors["other"] += 1
    tensors["b"] += 1
    verify(make(ones(1)), make_checkpoint(tmp_path / "x", tensors))


def test_the_first_tensor_that_differs_is_named(
    tensors: dict[str, torch.Tensor],
    make: Callable[[Delta], Patch],
    make_checkpoint: Make,
    tmp_path: Path,
) -> None:
    both = make(Delta((*ones(1).layers, *ones(2, layer=1).layers)))
    # A neuron the patch does not touch.
    tensors["b"][0, 6] += 1e-3
    with pytest.raises(PatchError, match="base differs: tensor 'b' is not the one the patch was made on"):
        verify(both, make_checkpoint(tmp_path / "x", tensors))
    half = make_checkpoint(tmp_path / "half", {**tensors, "a": tensors["a"].half()})
    with pytest.raises(PatchError, match=r"tensor 'a'.*F16 \[5, 7\] instead of F32 \[5, 7\]"):
        verify(both, half)
    with pytest.raises(PatchError, match="has no tensor 'a'"):
        verify(both, make_checkpoint(tmp_path / "less", {"b": tensors["b"]}))


def test_a_patched_checkpoint_says_so(
    tensors: dict[str, torch.Tensor],
    make: Callable[[Delta], Patch],
    make_checkpoint: Make,
    tmp_path: Path,
) -> None:
    made = make(ones(1, 4))
    with pytest.raises(PatchError, match="already patched: tensor 'a'"):
        verify(made, make_checkpoint(tmp_path / "x", written(tensors, [made])))


def test_known_patches_are_looked_through(
    tensors: dict[str, torch.Tensor],
    make: Callable[[Delta], Patch],
    make_checkpoint: Make,
    tmp_path: Path,
) -> None:
    first, second = make(ones(1, 4)), make(ones(0, 6))
    patched = make_checkpoint(tmp_path / "x", written(tensors, [first]))
    verify(second, patched, applied=[first])
    with pytest.raises(PatchError, match="base differs"):
        verify(second, patched)
    with pytest.raises(PatchError, match="base differs"):
        verify(second, patched, applied=[replace(second)])


@pytest.mark.real
def test_a_really_trained_checkpoint(
    patch: Patch, make_checkpoint: Make, real_data: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = real_data("models/stories260k")
    checkpoint, name = Checkpoint.open(folder), "model.layers.2.mlp.down_proj.weight"
    places: dict[tuple[int, int | None], Place] = {
        (2, None): Place("model.layers.2.mlp.down_proj", name, "columns")
    }
    made = make_patch(ones(0, 171, layer=2, width=64), places, checkpoint, patch.base, patch.provenance)
    made.save(tmp_path / "x")
    loaded = Patch.load(tmp_path / "x")
    verify(loaded, checkpoint)
    known = load_file(folder / "model.safetensors")
    edited = make_checkpoint(tmp_path / "edited", written(known, [loaded]))
    assert edited.digest(name) == loaded.entries[0].edited_digest
    with pytest.raises(PatchError, match="already patched"):
        verify(loaded, edited)
