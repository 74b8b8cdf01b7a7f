"""A file is there whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from editkit.atomic import write_whole
from editkit.errors import OutputError, PatchError


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
