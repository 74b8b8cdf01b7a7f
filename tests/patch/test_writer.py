"""Equal patches are equal bytes; a file is there whole or not at all."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from editkit.errors import OutputError, PatchError
from editkit.patch import writer
from editkit.patch.file import Patch
from editkit.patch.format import Contents, Entry
from editkit.patch.writer import write_whole


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


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_mode_honours_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "x", [b"1"])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == mode


def test_it_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    write_whole(tmp_path / "x", [b"n", memoryview(b"ew")])
    assert (tmp_path / "x").read_bytes() == b"new"


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt, OSError(28, "No space left on device"), PatchError("no")]
)
def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, stop: BaseException | type[BaseException]
) -> None:
    def content() -> Iterator[bytes]:
        yield b"half"
        raise stop

    (tmp_path / "x").write_bytes(b"old")
    expected = (
        OutputError
        if isinstance(stop, OSError)
        else KeyboardInterrupt
        if isinstance(stop, type)
        else PatchError
    )
    with pytest.raises(expected):
        write_whole(tmp_path / "x", content())
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


def test_places_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for place in ("folder", "nowhere/x", "file/x", "a\0b", "n" * 300):
        with pytest.raises(OutputError, match=r"can't be written|no possible file name"):
            write_whole(tmp_path / place, [b"1"])
    with pytest.raises(OutputError, match="no possible file name"):
        write_whole(Path(), [b"1"])
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}


def test_what_no_reader_would_take_is_not_written(
    patch: Patch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LONGEST_PATCH_HEADER", 1000)
    with pytest.raises(PatchError, match="description is too long"):
        patch.save(tmp_path / "x")
    assert not list(tmp_path.iterdir())
