"""Two folders change places; what a kill in the middle leaves is found again."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from editkit.atomic import exchange, new_folder
from editkit.atomic.exchange import exchanged, recovered
from editkit.errors import OutputError

MARK = "editkit.json"


def folder(place: Path, content: str) -> Path:
    place.mkdir()
    (place / MARK).write_text(content)
    return place


def replace_with(place: Path, content: str) -> None:
    with new_folder(place, replace=MARK) as made:
        (made / MARK).write_text(content)


def seen(place: Path) -> dict[str, str]:
    return {path.name: (path / MARK).read_text() for path in place.iterdir() if path.is_dir()}


def no_exchange(one: bytes, other: bytes) -> None:
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def test_they_change_places(tmp_path: Path) -> None:
    one, other = folder(tmp_path / "one", "1"), folder(tmp_path / "other", "2")
    exchanged(one, other)
    assert seen(tmp_path) == {"one": "2", "other": "1"}
    with pytest.raises(FileNotFoundError):
        exchanged(one, tmp_path / "gone")


def test_a_reader_always_finds_a_whole_folder(tmp_path: Path) -> None:
    place, done, missing = folder(tmp_path / "x", "0"), threading.Event(), []

    def read() -> None:
        while not done.is_set():
            try:
                (place / MARK).read_text()
            except OSError as error:
                missing.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        replace_with(place, str(number))
    done.set()
    reader.join()
    assert missing == []
    assert seen(tmp_path) == {"x": "199"}


def test_without_an_exchange_it_is_replaced_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "_swap", no_exchange)
    place = folder(tmp_path / "x", "old")
    replace_with(place, "new")
    assert seen(tmp_path) == {"x": "new"}


KILLED = """
import errno, os, sys
from pathlib import Path
from editkit.atomic import exchange, new_folder

def no_exchange(one, other):
    raise OSError(errno.EINVAL, "")

rename, left = Path.rename, [int(sys.argv[2])]

def counting(self, target):
    if not left[0]:
        os.kill(os.getpid(), 9)
    left[0] -= 1
    return rename(self, target)

exchange._swap, Path.rename = no_exchange, counting
with new_folder(Path(sys.argv[1]), replace="editkit.json") as made:
    (made / "editkit.json").write_text("new")
"""


@pytest.mark.parametrize(("after", "left"), [(0, "old"), (1, None), (2, "new")])
def test_killed_between_the_renames(tmp_path: Path, after: int, left: str | None) -> None:
    """A real kill, of a process that stops before one of the three renames."""
    place = folder(tmp_path / "x", "old")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(place), str(after)], check=False)
    assert killed.returncode == -9
    assert seen(tmp_path).get("x") == left
    if left is None:
        # The old one is the user's again before anything else happens: nothing is replaced unasked.
        with pytest.raises(OutputError, match="is there already"), new_folder(place):
            pass
        assert seen(tmp_path) == {"x": "old"}
    replace_with(place, "newer")
    assert seen(tmp_path) == {"x": "newer"}
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_failed_second_rename_puts_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_swap", no_exchange)
    place = folder(tmp_path / "x", "old")
    with pytest.raises(FileNotFoundError):
        exchanged(tmp_path / "gone", place)
    assert seen(tmp_path) == {"x": "old"}


def test_other_failures_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(one: bytes, other: bytes) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(exchange, "_swap", busy)
    place = folder(tmp_path / "x", "old")
    with pytest.raises(OutputError, match="busy"):
        replace_with(place, "new")
    assert seen(tmp_path) == {"x": "old"}


def test_only_a_folder_is_recovered(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".x.replaced").symlink_to(tmp_path / "elsewhere")
    recovered(tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert (tmp_path / "elsewhere").is_dir()
