"""A copy has the bytes of its source and nothing else of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from editkit.errors import ModelError
from editkit.export import copying
from editkit.export.copying import clones, copied, copy_range, making, reading

CONTENT = os.urandom(100_000)


def refusing(*numbers: int) -> Any:
    """A copy in the kernel that fails as a file system that has none; the second call on, when so asked."""

    def fail(*_: Any) -> int:
        raise OSError(numbers[0], os.strerror(numbers[0]))

    return fail


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "source"
    file.write_bytes(CONTENT)
    return file


@pytest.mark.parametrize("size", [0, 1, 4096, 100_000])
@pytest.mark.parametrize("chunk", [1000, 8 << 20])
def test_in_the_kernel_or_by_hand(
    source: Path, size: int, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.write_bytes(CONTENT[:size])
    monkeypatch.setattr(copying, "CHUNK_BYTES", chunk)
    copied(source, tmp_path / "kernel")
    for number in (errno.EXDEV, errno.ENOSYS, errno.EINVAL):
        monkeypatch.setattr(os, "copy_file_range", refusing(number))
        copied(source, tmp_path / f"hand-{number}")
        assert (tmp_path / f"hand-{number}").read_bytes() == CONTENT[:size]
    monkeypatch.delattr(os, "copy_file_range")
    copied(source, tmp_path / "elsewhere")
    assert (tmp_path / "kernel").read_bytes() == (tmp_path / "elsewhere").read_bytes() == CONTENT[:size]


def test_between_file_systems(source: Path, tmp_path: Path) -> None:
    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else tmp_path
    target = memory / f"editkit-copy-{os.getpid()}"
    try:
        copied(source, target)
        assert target.read_bytes() == CONTENT
    finally:
        target.unlink(missing_ok=True)


def test_a_link_is_followed_and_never_written_through(source: Path, tmp_path: Path) -> None:
    source.chmod(0o444)
    (tmp_path / "link").symlink_to(source)
    copied(tmp_path / "link", tmp_path / "copy")
    assert not (tmp_path / "copy").is_symlink()
    with making(tmp_path / "new") as new:
        os.pwrite(new, b"x", 0)
    for there in ("link", "copy"):
        with pytest.raises(FileExistsError):
            copied(source, tmp_path / there)
    assert source.read_bytes() == CONTENT


def test_the_mode_is_what_the_umask_leaves(source: Path, tmp_path: Path) -> None:
    source.chmod(0o700)
    before = os.umask(0o027)
    try:
        copied(source, tmp_path / "copy")
    finally:
        os.umask(before)
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o640


def test_a_source_that_ends_early_or_is_not_there(source: Path, tmp_path: Path) -> None:
    with reading(source) as old, making(tmp_path / "copy") as new:
        with pytest.raises(ModelError, match="became shorter"):
            copy_range(old, new, 0, len(CONTENT) + 1)
        assert (tmp_path / "copy").read_bytes() == CONTENT
    with pytest.raises(ModelError, match=r"gone: can't be read \(No such file"):
        copied(tmp_path / "gone", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_full_disk_is_an_error_of_the_target(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "copy_file_range", refusing(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        copied(source, tmp_path / "copy")


def test_asking_for_shared_blocks_leaves_nothing(source: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    assert clones(source, tmp_path / "deep" / "place") in (True, False)
    assert sorted(tmp_path.iterdir()) == before
