"""A patch holds the file's own rows, and what the rounded sum makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from editkit.checkpoint import Checkpoint
from editkit.delta import Delta, LayerDelta
from editkit.errors import ModelError, PatchError
from editkit.patch.file import Patch
from editkit.patch.make import Place, make_patch
from editkit.patch.rows import widen

COLUMNS = Place("model.layers.0.mlp.down_proj", "columns", "columns")
PLACES = {
    (0, None): COLUMNS,
    (1, None): Place("h.1.mlp.c_proj", "rows", "rows"),
    (2, 0): Place("layers.2.experts.down_proj", "experts", "columns", fused=True),
    (2, 2): Place("layers.2.experts.down_proj", "experts", "columns", fused=True),
}


@pytest.fixture(scope="module")
def checkpoint(
    make_checkpoint: Callable[..., Checkpoint], tmp_path_factory: pytest.TempPathFactory
) -> Checkpoint:
    torch.manual_seed(0)
    tensors = {
        "columns": torch.randn(5, 7).to(torch.bfloat16),
        "experts": torch.randn(3, 5, 7),
        "rows": torch.randn(7, 5).to(torch.float16),
    }
    return make_checkpoint(tmp_path_factory.mktemp("base"), tensors)


def part(layer: int, expert: int | None, *neurons: int, scale: float = 1.0) -> LayerDelta:
    draw = np.random.default_rng(layer)
    rows = (draw.normal(size=(len(neurons), 5)) * scale).astype(np.float32)
    return LayerDelta(layer, expert, neurons, rows)


def made(checkpoint: Checkpoint, patch: Patch, *parts: LayerDelta) -> Patch:
    return make_patch(Delta(parts), PLACES, checkpoint, patch.base, patch.provenance)


def test_it_is_what_torch_makes_of_the_same_delta(
    checkpoint: Checkpoint, patch: Patch, make_checkpoint: Callable[..., Checkpoint], tmp_path: Path
) -> None:
    parts = (part(0, None, 0, 6), part(1, None, 3), part(2, 0, 1, 2), part(2, 2, 4))
    result = made(checkpoint, patch, *reversed(parts))
    tensors = load_file(checkpoint.folder / "model.safetensors")
    for one in parts:
        place = PLACES[one.layer, one.expert]
        matrix = tensors[place.tensor] if one.expert is None else tensors[place.tensor][one.expert]
        by_neuron = matrix.T if place.orientation == "columns" else matrix
        chosen = list(one.neurons)
        by_neuron[chosen] = (by_neuron[chosen].float() + torch.from_numpy(one.rows)).to(matrix.dtype)
    edited = make_checkpoint(tmp_path / "edited", tensors)
    assert [entry.tensor for entry in result.entries] == ["columns", "rows", "experts", "experts"]
    for entry in result.entries:
        there = edited.read_rows(entry.tensor, entry.neurons, entry.orientation, entry.expert)
        assert (entry.edited == there).all()
        assert entry.base_digest == checkpoint.digest(entry.tensor)
        assert entry.edited_digest == edited.digest(entry.tensor)
        assert entry.shape == tuple(tensors[entry.tensor].shape)


def test_the_same_delta_makes_the_same_patch(checkpoint: Checkpoint, patch: Patch) -> None:
    parts = (part(0, None, 0, 6), part(2, 2, 4))
    assert made(checkpoint, patch, *parts) == made(checkpoint, patch, *parts)


def test_what_rounding_swallows_stays_out(checkpoint: Checkpoint, patch: Patch) -> None:
    small, real = part(0, None, 0, 6), part(1, None, 3)
    small.rows[0] = np.abs(widen(checkpoint.read_rows("columns", np.array([0]), "columns"), "BF16")) / 4096
    assert [str(neuron) for neuron in made(checkpoint, patch, small, real).neurons()] == ["L0.N6", "L1.N3"]
    assert made(checkpoint, patch, part(0, None, 1, scale=0.0)).entries == ()
    assert made(checkpoint, patch).entries == ()


def test_adding_nothing_to_minus_zero_is_no_change(
    patch: Patch, make_checkpoint: Callable[..., Checkpoint], tmp_path: Path
) -> None:
    base = make_checkpoint(tmp_path / "base", {"columns": torch.full((5, 7), -0.0)})
    assert made(base, patch, part(0, None, 1, scale=0.0)).entries == ()


def test_deltas_that_do_not_fit(checkpoint: Checkpoint, patch: Patch) -> None:
    with pytest.raises(PatchError, match="nobody said where layer 7, expert None is"):
        made(checkpoint, patch, part(7, None, 0))
    with pytest.raises(ModelError, match="neurons 0 to 6 only"):
        made(checkpoint, patch, part(0, None, 7))
    with pytest.raises(PatchError, match="rows have 4 values, the tensor's 5"):
        made(checkpoint, patch, LayerDelta(0, None, (1,), np.ones((1, 4), np.float32)))
    with pytest.raises(PatchError, match="too large for F16"):
        made(checkpoint, patch, part(1, None, 0, scale=1e6))
    with pytest.raises(PatchError, match="order of layer and expert, each once"):
        made(checkpoint, patch, part(0, None, 1), part(0, None, 2))


def test_a_base_with_nan_is_refused(
    patch: Patch, make_checkpoint: Callable[..., Checkpoint], tmp_path: Path
) -> None:
    base = make_checkpoint(tmp_path / "base", {"columns": torch.full((5, 7), torch.nan)})
    with pytest.raises(PatchError, match="base itself holds NaN"):
        made(base, patch, part(0, None, 1))
