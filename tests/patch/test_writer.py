"""Equal patches are equal bytes; a file is there whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from editkit.errors import PatchError
from editkit.patch import writer
from editkit.patch.file import Patch
from editkit.patch.format import Contents, Entry


def test_safetensors_own_reader_reads_it(patch: Patch, tmp_path: Path) -> None:
    patch.save(tmp_path / "x")
    with safe_open(tmp_path / "x", "pt") as reader:
        assert list(reader.metadata()) == ["editkit"]
        assert json.loads(reader.metadata()["editkit"])["version"] == 1
        assert len(reader.keys()) == 9
        assert reader.get_tensor("0.neurons").tolist() == [1, 4]
        edited = reader.get_tensor("0.edited")
        assert edited.dtype == torch.bfloat16
        assert (edited.view(torch.int16).numpy() == patch.entries[0].edited.view("<i2")).all()
        assert (reader.get_tensor("2.original").numpy() == patch.entries[2].original.view("<f4")).all()


def test_tensors_are_aligned(patch: Patch, to_bytes: Callable[[Contents], bytes]) -> None:
    content = to_bytes(patch)
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    widths = {"I64": 8, "F32": 4, "BF16": 2}
    for name, info in header.items():
        if name != "__metadata__":
            assert (8 + length + info["data_offsets"][0]) % widths[info["dtype"]] == 0


def test_rows_cut_out_of_larger_arrays_are_written_as_they_look(
    patch: Patch, make_entry: Callable[..., Entry], to_bytes: Callable[[Contents], bytes]
) -> None:
    whole = make_entry()
    slanted = replace(whole, original=whole.original.T.copy().T, edited=whole.edited[::-1][::-1])
    assert not slanted.original.flags.c_contiguous
    assert to_bytes(replace(patch, entries=(slanted,))) == to_bytes(replace(patch, entries=(whole,)))


def test_what_no_reader_would_take_is_not_written(
    patch: Patch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LONGEST_PATCH_HEADER", 1000)
    with pytest.raises(PatchError, match="description is too long"):
        patch.save(tmp_path / "x")
    assert not list(tmp_path.iterdir())
