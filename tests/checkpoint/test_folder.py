"""Rows and digests read from files are those of the tensors that were saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from editkit.checkpoint import Checkpoint, Orientation, Rows, tensorfile
from editkit.errors import ModelError


def raw(tensor: torch.Tensor) -> np.ndarray:
    """The bits of a tensor."""
    wide = tensor.element_size() == 4
    return (
        tensor.contiguous().view(torch.int32 if wide else torch.int16).numpy().view("<u4" if wide else "<u2")
    )


def saved(folder: Path, tensors: dict[str, torch.Tensor]) -> Checkpoint:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    save_file(tensors, folder / "model.safetensors")
    return Checkpoint.open(folder)


@pytest.fixture(scope="session")
def tensors() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {
        "columns": torch.randn(5, 7).to(torch.bfloat16),
        "experts": torch.randn(3, 5, 7),
        "norm": torch.randn(4),
        "rows": torch.randn(7, 5).to(torch.float16),
        "square": torch.randn(6, 6),
        "whole": torch.ones(2, 2, dtype=torch.int64),
    }


@pytest.fixture(scope="session")
def checkpoint(tensors: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return saved(tmp_path_factory.mktemp("checkpoint") / "one", tensors)


@pytest.fixture(params=[1, 60, 1 << 22], ids="{}-byte blocks".format)
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answers whether a tensor is read in one block or row by row."""
    monkeypatch.setattr(tensorfile, "BLOCK_BYTES", request.param)


@pytest.mark.usefixtures("_blocks")
def test_rows_of_both_orientations(checkpoint: Checkpoint, tensors: dict[str, torch.Tensor]) -> None:
    chosen = np.array([6, 0, 3])
    assert (checkpoint.read_rows("rows", chosen, "rows") == raw(tensors["rows"])[chosen]).all()
    assert (checkpoint.read_rows("columns", chosen, "columns") == raw(tensors["columns"]).T[chosen]).all()
    assert checkpoint.read_rows("rows", np.array([], np.int64), "rows").shape == (0, 5)


@pytest.mark.usefixtures("_blocks")
def test_rows_of_one_expert(checkpoint: Checkpoint, tensors: dict[str, torch.Tensor]) -> None:
    slab = raw(tensors["experts"])[1]
    assert (checkpoint.read_rows("experts", np.array([1, 6]), "columns", 1) == slab.T[[1, 6]]).all()
    assert (checkpoint.read_rows("experts", np.array([0, 4]), "rows", 1) == slab[[0, 4]]).all()


def test_digests_are_of_the_bytes(checkpoint: Checkpoint, tensors: dict[str, torch.Tensor]) -> None:
    for name, tensor in tensors.items():
        known = sha256(tensor.contiguous().view(torch.uint8).numpy().tobytes()).hexdigest()
        assert checkpoint.digest(name) == known == checkpoint.digest_with_rows(name)


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("orientation", ["rows", "columns"])
@pytest.mark.parametrize(("name", "experts"), [("square", [None]), ("experts", [0, 2]), ("columns", [None])])
def test_a_digest_with_rows_is_that_of_a_really_changed_file(
    checkpoint: Checkpoint,
    tensors: dict[str, torch.Tensor],
    tmp_path: Path,
    name: str,
    experts: list[int | None],
    orientation: Orientation,
) -> None:
    changed = {key: tensor.clone() for key, tensor in tensors.items()}
    replaced, original = [], []
    for expert in experts:
        matrix = changed[name] if expert is None else changed[name][expert]
        by_neuron = matrix if orientation == "rows" else matrix.T
        chosen = np.array([0, 4])
        values = torch.randn(2, by_neuron.shape[1]).to(matrix.dtype)
        original.append(Rows(chosen, raw(by_neuron[chosen]), orientation, expert))
        by_neuron[chosen] = values
        replaced.append(Rows(chosen, raw(values), orientation, expert))
    edited = saved(tmp_path / "edited", changed)
    assert checkpoint.digest_with_rows(name, *replaced) == edited.digest(name) != checkpoint.digest(name)
    assert edited.digest_with_rows(name, *original) == checkpoint.digest(name)


@given(data=st.data())
def test_putting_back_what_stands_there_changes_nothing(checkpoint: Checkpoint, data: st.DataObject) -> None:
    orientation: Orientation = data.draw(st.sampled_from(["rows", "columns"]))
    chosen = np.array(sorted(data.draw(st.sets(st.integers(0, 5)))), np.int64)
    rows = Rows(chosen, checkpoint.read_rows("square", chosen, orientation), orientation)
    assert checkpoint.digest_with_rows("square", rows) == checkpoint.digest("square")


@pytest.mark.parametrize(
    ("name", "neurons", "orientation", "expert", "reason"),
    [
        ("nothing", [0], "rows", None, "no tensor 'nothing'"),
        ("rows", [7], "rows", None, "neurons 0 to 6 only"),
        ("rows", [-1], "rows", None, "neurons 0 to 6 only"),
        ("rows", [5], "columns", None, "neurons 0 to 4 only"),
        ("rows", [0], "rows", 0, "no W_out"),
        ("experts", [0], "rows", None, "no W_out"),
        ("experts", [0], "rows", 3, "no expert 3"),
        ("norm", [0], "rows", None, "no W_out"),
        ("whole", [0], "rows", None, "stored as I64; editkit edits F32, F16, BF16"),
    ],
)
def test_rows_that_are_not_there(
    checkpoint: Checkpoint,
    name: str,
    neurons: list[int],
    orientation: Orientation,
    expert: int | None,
    reason: str,
) -> None:
    with pytest.raises(ModelError, match=reason):
        checkpoint.read_rows(name, np.array(neurons), orientation, expert)


@pytest.mark.parametrize("bits", [np.zeros((1, 5), "<u4"), np.zeros((1, 6), "<u2"), np.zeros((2, 5), "<u2")])
def test_rows_that_do_not_fit_have_no_digest(checkpoint: Checkpoint, bits: np.ndarray) -> None:
    with pytest.raises(ModelError, match="another length or dtype"):
        checkpoint.digest_with_rows("rows", Rows(np.array([0]), bits, "rows"))


@pytest.fixture
def sharded(tensors: dict[str, torch.Tensor], tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text("{}")
    names = sorted(tensors)
    places = {name: f"model-0000{1 + (at > 2)}-of-00002.safetensors" for at, name in enumerate(names)}
    for file in set(places.values()):
        save_file({name: tensors[name] for name in names if places[name] == file}, tmp_path / file)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return tmp_path


def test_shards_are_one_checkpoint(sharded: Path, checkpoint: Checkpoint) -> None:
    found = Checkpoint.open(sharded)
    assert set(found.tensors) == set(checkpoint.tensors)
    assert all(found.digest(name) == checkpoint.digest(name) for name in found.tensors)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda table: [], "no weight_map"),
        (lambda table: {"weight_map": {"rows": 1}}, "no weight_map"),
        (lambda table: {"weight_map": {"rows": "../model.safetensors"}}, "no plain file name"),
        (lambda table: {"weight_map": {"rows": "/etc/passwd"}}, "no plain file name"),
        (lambda table: {"weight_map": {"rows": "a\0b"}}, "no plain file name"),
        (lambda table: {"weight_map": {"rows": ".."}}, "can't be read"),
        (lambda table: {"weight_map": {"rows": "gone.safetensors"}}, "gone.safetensors: can't be read"),
        (
            lambda table: {"weight_map": table["weight_map"] | {"more": table["weight_map"]["rows"]}},
            "'more' is not in",
        ),
    ],
)
def test_an_index_that_lies(
    sharded: Path, change: Callable[[dict[str, object]], object], reason: str
) -> None:
    index = sharded / "model.safetensors.index.json"
    index.write_text(json.dumps(change(json.loads(index.read_text()))))
    with pytest.raises(ModelError, match=reason):
        Checkpoint.open(sharded)


def test_folders_that_are_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        Checkpoint.open(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"neither model\.safetensors nor"):
        Checkpoint.open(tmp_path)
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(ModelError, match=r"pickles.*save_pretrained\(folder, safe_serialization=True\)"):
        Checkpoint.open(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text("{")
    with pytest.raises(ModelError, match=r"index\.json: the JSON can't be read"):
        Checkpoint.open(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x08")
    with pytest.raises(ModelError, match=r"model\.safetensors: the file is too short"):
        Checkpoint.open(tmp_path)


def test_identity_is_of_config_and_shapes(checkpoint: Checkpoint, tmp_path: Path) -> None:
    weights = load_file(checkpoint.folder / "model.safetensors")
    twin = saved(tmp_path / "twin", {name: tensor * 0 for name, tensor in weights.items()})
    assert twin.identity == checkpoint.identity
    assert saved(tmp_path / "fewer", {"rows": weights["rows"]}).identity != checkpoint.identity
    assert replace(twin, folder=twin.folder).identity == checkpoint.identity
    (twin.folder / "config.json").write_text("{}")
    assert Checkpoint.open(twin.folder).identity != checkpoint.identity
    (twin.folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"config\.json: can't be read"):
        Checkpoint.open(twin.folder).identity  # noqa: B018 - the property is what raises


@pytest.mark.real
def test_a_really_trained_checkpoint(real_data: Callable[[str], Path]) -> None:
    folder = real_data("models/stories260k")
    checkpoint, known = Checkpoint.open(folder), load_file(folder / "model.safetensors")
    assert set(checkpoint.tensors) == set(known)
    name, chosen = "model.layers.3.mlp.down_proj.weight", np.array([0, 99, 171])
    rows = checkpoint.read_rows(name, chosen, "columns")
    assert (rows == raw(known[name]).T[chosen]).all()
    known[name][:, chosen] = 0
    zeros = Rows(chosen, np.zeros_like(rows), "columns")
    assert checkpoint.digest_with_rows(name, zeros) == sha256(known[name].numpy().tobytes()).hexdigest()
