"""A file is there whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from editkit.atomic import writable, write_whole
from editkit.errors import OutputError, PatchError

UMASK = os.umask(0o022)
os.umask(UMASK)


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
        with pytest.raises(OutputError, match=r"can't be written|no possible file name|is a folder"):
            write_whole(tmp_path / place, [b"1"])
    with pytest.raises(OutputError, match="no possible file name"):
        write_whole(Path(), [b"1"])
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}


@pytest.mark.parametrize("kind", ["file", "folder", "link", "hard link", "pipe"])
def test_a_killed_writers_leftovers_are_cleared(tmp_path: Path, kind: str) -> None:
    left, victim = tmp_path / ".x.partial", tmp_path / "victim"
    victim.write_bytes(b"precious")
    if kind == "file":
        left.write_bytes(b"half")
        left.chmod(0o600)
    elif kind == "folder":
        left.mkdir()
        (left / "half").touch()
    elif kind == "link":
        left.symlink_to(victim)
    elif kind == "hard link":
        left.hardlink_to(victim)
    else:
        os.mkfifo(left)
    write_whole(tmp_path / "x", [b"new"])
    assert (tmp_path / "x").read_bytes() == b"new"
    assert stat.S_ISREG((tmp_path / "x").lstat().st_mode)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o666 & ~UMASK
    assert victim.read_bytes() == b"precious"
    assert {path.name for path in tmp_path.iterdir()} == {"x", "victim"}


def test_a_link_is_replaced_and_never_written_through(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"precious")
    (tmp_path / "x").symlink_to("cache")
    (tmp_path / "y").hardlink_to(tmp_path / "cache")
    for name in ("x", "y"):
        write_whole(tmp_path / name, [b"new"])
        assert (tmp_path / name).read_bytes() == b"new"
        assert not (tmp_path / name).is_symlink()
    assert (tmp_path / "cache").read_bytes() == b"precious"


def test_a_link_to_a_folder_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "latest").symlink_to("runs")
    with pytest.raises(OutputError, match="is a folder"):
        write_whole(tmp_path / "latest", [b"new"])
    with pytest.raises(OutputError, match="is a folder"):
        writable(tmp_path / "latest")
    assert (tmp_path / "latest").is_symlink()


@pytest.mark.parametrize("write", [writable, lambda path: write_whole(path, [b"x"])])
def test_a_pipe_or_device_is_never_replaced(tmp_path: Path, write: Callable[[Path], None]) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to(os.devnull)
    for place in (tmp_path / "pipe", tmp_path / "null", Path(os.devnull)):
        with pytest.raises(OutputError, match="is a device or pipe: give the name of a file"):
            write(place)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    assert {path.name for path in tmp_path.iterdir()} == {"pipe", "null"}


def test_looking_first_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    (tmp_path / ".x.partial").write_bytes(b"half")
    writable(tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    (tmp_path / "file").touch()
    for place in ("file/x", "a\0b", "n" * 300, "\ud800"):
        with pytest.raises(OutputError, match=r"can't be written|no possible file name"):
            writable(tmp_path / place)


def test_what_is_written_is_on_the_disk_before_it_is_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    sync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def replaced(one: Path, other: Path) -> None:
        calls.append("rename")
        replace(one, other)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_whole(tmp_path / "x", [b"new"])
    assert calls == ["file", "rename", "folder"]
