from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from editkit.checkpoint import Checkpoint
from editkit.convert.folder import Planned, new_folder, write_tensors
from editkit.errors import ModelError, OutputError
from editkit.events import Advanced, Event

VALUES = {
    "a": torch.randn(3, 5),
    "b": torch.randn(7),
    "c": torch.randn(2, 2, 3).transpose(0, 2),
    "d": torch.randn(1),
}
DTYPES = (torch.float16, torch.float32, torch.bfloat16, torch.float32)


def planned() -> dict[str, Planned]:
    return {
        name: Planned(f"part {name}", tuple(value.shape), dtype, lambda value=value: value)
        for (name, value), dtype in zip(VALUES.items(), DTYPES, strict=True)
    }


@pytest.mark.parametrize(("limit", "files"), [(10**9, 1), (50, 3), (1, 4)])
def test_what_is_written_is_read_by_everybody(tmp_path: Path, limit: int, files: int) -> None:
    heard: list[Event] = []
    write_tensors(tmp_path, planned(), heard.append, limit)
    shards = sorted(tmp_path.glob("*.safetensors"))
    assert len(shards) == files
    found = {name: value for shard in shards for name, value in load_file(shard).items()}
    for (name, value), dtype in zip(VALUES.items(), DTYPES, strict=True):
        assert torch.equal(found[name], value.to(dtype))
    assert Checkpoint.open(tmp_path).tensors.keys() == VALUES.keys()
    assert [event.note for event in heard if isinstance(event, Advanced)] != []
    index = tmp_path / "model.safetensors.index.json"
    assert index.exists() == (files > 1)
    if files > 1:
        total = sum(one.n_bytes for one in planned().values())
        assert json.loads(index.read_text())["metadata"] == {"total_size": total}


def test_every_tensor_begins_where_its_dtype_may(tmp_path: Path) -> None:
    write_tensors(tmp_path, planned())
    for info in Checkpoint.open(tmp_path).tensors.values():
        assert info.start % (4 if info.dtype == "F32" else 2) == 0


@pytest.mark.parametrize("value", [1e5, -1e5, torch.nan])
def test_a_value_that_does_not_fit(tmp_path: Path, value: float) -> None:
    large = {"a": Planned("part", (2,), torch.float16, lambda: torch.tensor([1.0, value]))}
    with pytest.raises(ModelError, match="try --dtype bfloat16"):
        write_tensors(tmp_path, large)


def test_a_folder_is_there_when_it_is_whole(tmp_path: Path) -> None:
    with new_folder(tmp_path / "deep" / "made") as folder:
        (folder / "a").write_text("a")
        assert not (tmp_path / "deep" / "made").exists()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["made"]
    assert (tmp_path / "deep" / "made" / "a").read_text() == "a"


@pytest.mark.parametrize("reason", [ModelError("wrong"), KeyboardInterrupt()])
def test_nothing_is_left_of_one_that_fails(tmp_path: Path, reason: BaseException) -> None:
    def failing() -> None:
        with new_folder(tmp_path / "made") as folder:
            (folder / "a").write_text("a")
            raise reason

    with pytest.raises(type(reason)):
        failing()
    assert not any(tmp_path.iterdir())


def test_places_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is there already"), new_folder(tmp_path):
        pass
    with pytest.raises(OutputError, match="can't be written"), new_folder(tmp_path / "file" / "made"):
        pass
    room: Any = shutil.disk_usage(tmp_path)._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: room)
    with (
        pytest.raises(OutputError, match=r"takes 16.0 GB and 1.0 GB are free"),
        new_folder(tmp_path / "made", 16 * 10**9),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
