from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from editkit.checkpoint import Checkpoint
from editkit.convert.folder import Planned, write_tensors
from editkit.errors import ModelError
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
