"""Which neurons moved between two checkpoints, and how far: what the patch between them says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from editkit.checkpoint import Checkpoint, tensorfile
from editkit.errors import ModelError
from editkit.export.merged import export_merged
from editkit.model.differences import Matrix, Side, differences, matrices, moved_neurons
from editkit.model.editable import Editable
from editkit.model.outline import outline
from editkit.patch.difference import compared
from editkit.recipe import ModelRef


@pytest.mark.parametrize("block", [100, 1 << 22])
def test_lengths_are_those_of_the_patch(
    any_model: Editable,
    block: int,
    random_rows: Any,
    patch_of: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tensorfile, "BLOCK_BYTES", block)
    patch = patch_of(any_model, random_rows(any_model, 4))
    base = Checkpoint.open(any_model.folder)
    export_merged(patch, base, tmp_path / "edited")
    edited = Checkpoint.open(tmp_path / "edited")
    found = differences(base, edited)
    assert (found.any, found.n_tensors) == (True, len(base.tensors))
    assert set(found.changed) == {entry.tensor for entry in patch.entries}
    where = matrices(outline(ModelRef(id=str(any_model.folder))), found.changed)
    moved = moved_neurons(base, edited, where)
    pairs = compared(patch, patch).neurons
    assert [one.neuron for one in moved] == [pair.neuron for pair in pairs]
    assert [one.length for one in moved] == pytest.approx([pair.first for pair in pairs])
    # random_rows makes changes as long as the rows, but for rounding.
    assert [one.ratio for one in moved] == pytest.approx([1.0] * len(moved), abs=1e-5)
    back = moved_neurons(edited, base, where)
    assert [one.length for one in back] == pytest.approx([one.length for one in moved])


@pytest.fixture
def two(tmp_path: Path) -> Callable[..., tuple[Checkpoint, Checkpoint]]:
    def make(before: torch.Tensor, after: torch.Tensor) -> tuple[Checkpoint, Checkpoint]:
        for name, tensor in (("one", before), ("other", after)):
            (tmp_path / name).mkdir()
            save_file({"w": tensor}, tmp_path / name / "model.safetensors")
        return Checkpoint.open(tmp_path / "one"), Checkpoint.open(tmp_path / "other")

    return make


def test_rows_of_zeros_and_what_is_no_number(two: Any) -> None:
    before = torch.tensor([[0.0, 0.0], [1.0, 1.0], [3.0, 4.0], [2.0, 2.0]])
    after = torch.tensor([[3.0, 4.0], [float("nan"), 1.0], [3.0, -4.0], [2.0, 2.0]])
    where = {"w": [Matrix((5, None), "m", "w", "rows", None)]}
    found = moved_neurons(*two(before, after), where)
    assert [str(one.neuron) for one in found] == ["L5.N0", "L5.N1", "L5.N2"]
    assert (found[0].length, found[0].ratio) == (5.0, None)
    assert np.isnan(found[1].length)
    assert (found[2].length, found[2].ratio) == (8.0, 1.6)


def test_dtypes_that_can_not_be_edited_are_passed_over(two: Any) -> None:
    pair = two(torch.zeros(2, 2, dtype=torch.int8), torch.ones(2, 2, dtype=torch.int8))
    assert moved_neurons(*pair, {"w": [Matrix((0, None), "m", "w", "rows", None)]}) == ()


def test_rows_as_large_as_float32_allows(two: Any) -> None:
    largest = torch.full((1, 4), torch.finfo(torch.float32).max)
    (found,) = moved_neurons(*two(-largest, largest), {"w": [Matrix((0, 3), "m", "w", "rows", None)]})
    assert str(found.neuron) == "L0.E3.N0"
    assert (found.length, found.ratio) == (pytest.approx(4 * 3.4028235e38), pytest.approx(2.0))


def test_a_file_that_became_shorter(two: Any) -> None:
    pair = two(torch.zeros(2, 2), torch.ones(2, 2))
    pair[1].tensors["w"].file.write_bytes(b"")
    with pytest.raises(ModelError, match="can't be read"):
        moved_neurons(*pair, {"w": [Matrix((0, None), "m", "w", "rows", None)]})


def test_sides_are_named_as_anywhere(llama: Editable, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Side.open("demo/scenes").revision is None
    monkeypatch.chdir(llama.folder.parent)
    assert (
        Side.open(llama.folder.name).checkpoint.tensors.keys()
        == Side.open(llama.folder).checkpoint.tensors.keys()
    )
    for name in ("nowhere", "", "a@"):
        with pytest.raises(ModelError, match="no such folder"):
            Side.open(name)


def test_everything_that_differs_is_named(llama: Editable, tmp_path: Path) -> None:
    base = Checkpoint.open(llama.folder)
    tensors = load_file(llama.folder / "model.safetensors")
    names = sorted(tensors)
    tensors["new"] = torch.zeros(1)
    del tensors[names[0]]
    tensors[names[1]] = tensors[names[1]].half()
    tensors[names[2]] = tensors[names[2]] + 1
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("[]")
    found = differences(base, Checkpoint.open(tmp_path))
    assert (found.missing, found.added) == ((names[0],), ("new",))
    assert (found.reshaped, found.changed) == ((names[1],), (names[2],))
    assert (found.config, found.any, found.n_tensors) == (("config.json",), True, len(names) - 2)
    assert not differences(base, base).any
