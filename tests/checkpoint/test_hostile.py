"""Thousands of forged checkpoints: only ModelError leaves, in one printable sentence, at once and cheaply."""

from __future__ import annotations

import json
import os
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given

from editkit.checkpoint import Checkpoint
from editkit.errors import ModelError
from tests.patch.forging import forging, refused
from tests.patch.mutations import forged_json, forged_tensor_files, join

ROWS = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
BYTES = {"dtype": "U8", "shape": [4], "data_offsets": [24, 28]}
HEADER = {"__metadata__": {"format": "pt"}, "model.layers.0.mlp.down_proj.weight": ROWS, "other": BYTES}
SHARD = join(json.dumps(HEADER).encode(), struct.pack("<6f", *range(6)) + b"1234")
SINGLE = "model.safetensors"
INDEX = f"{SINGLE}.index.json"
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def read(folder: Path) -> None:
    """All that is done with a checkpoint nobody has looked at."""
    checkpoint = Checkpoint.open(folder)
    for name in checkpoint.tensors:
        checkpoint.digest(name)


def check_files(folder: Path, count: int) -> Counter[str]:
    reasons: Counter[str] = Counter()

    @forging(count)
    @given(forged_tensor_files((SHARD, join(b"{}", b""))))
    def check(content: bytes) -> None:
        (folder / SINGLE).write_bytes(content)
        said = refused(lambda: read(folder), ModelError, len(content))
        reasons[(said or "accepted").removeprefix(str(folder))[:60]] += 1

    check()
    assert [path.name for path in folder.iterdir()] == [SINGLE]
    return reasons


def check_indices(folder: Path, count: int) -> Counter[str]:
    reasons: Counter[str] = Counter()
    honest = {"metadata": {"total_size": 56}, "weight_map": {"other": SHARDS[0]}}
    for name in SHARDS:
        (folder / name).write_bytes(SHARD)
    honest["weight_map"]["model.layers.0.mlp.down_proj.weight"] = SHARDS[1]

    @forging(count)
    @given(forged_json(json.dumps(honest).encode()))
    def check(content: bytes) -> None:
        (folder / INDEX).write_bytes(content)
        said = refused(lambda: read(folder), ModelError, len(content))
        reasons[(said or "accepted").removeprefix(str(folder))[:60]] += 1

    check()
    return reasons


def test_forged_headers(tmp_path: Path) -> None:
    assert len(check_files(tmp_path, 600)) > 20


def test_forged_indices(tmp_path: Path) -> None:
    assert len(check_indices(tmp_path, 200)) > 8


@pytest.mark.slow
def test_many_forged_headers(tmp_path: Path) -> None:
    assert len(check_files(tmp_path, 6_000)) > 25


@pytest.mark.slow
def test_many_forged_indices(tmp_path: Path) -> None:
    assert len(check_indices(tmp_path, 2_000)) > 10


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [pipe, device, loop, Path.mkdir])
@pytest.mark.parametrize("name", [SINGLE, INDEX, SHARDS[0], "config.json"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, name: str, make: Callable[[Path], None]) -> None:
    if name == SHARDS[0]:
        (tmp_path / INDEX).write_text(json.dumps({"weight_map": {"other": name}}))
    elif name == "config.json":
        (tmp_path / SINGLE).write_bytes(SHARD)
    make(tmp_path / name)
    with pytest.raises(ModelError):
        assert Checkpoint.open(tmp_path).config_digest


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "sub/x", "..", ".", "", "a\\b", "a\0b", "x" * 300]
)
def test_an_index_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "outside").write_bytes(SHARD)
    (tmp_path / "in" / INDEX).write_text(json.dumps({"weight_map": {"other": name}}))
    with pytest.raises(ModelError) as caught:
        Checkpoint.open(tmp_path / "in")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 700


def test_an_index_of_many_files_ends_at_the_first_that_is_missing(tmp_path: Path) -> None:
    places = {f"tensor {number}": f"{number}.safetensors" for number in range(50_000)}
    content = json.dumps({"weight_map": places}).encode()
    (tmp_path / INDEX).write_bytes(content)
    assert "No such file" in str(refused(lambda: read(tmp_path), ModelError, len(content)))
