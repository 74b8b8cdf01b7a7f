"""One place has one writer, and a dead one is no writer."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from editkit.atomic import new_folder, write_whole
from editkit.atomic.lock import beside, locked, partial
from editkit.errors import OutputError

HOLDS = """
import sys
from pathlib import Path
from editkit.atomic.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
COUNTS = """
import sys, time
from pathlib import Path
from editkit.atomic.lock import locked
place = Path(sys.argv[1])
for _ in range(50):
    with locked(place, wait=60):
        n = int(place.read_text())
        time.sleep(0.0005)
        place.write_text(str(n + 1))
"""


@contextmanager
def holder(place: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes there."""
    command = [sys.executable, "-c", HOLDS, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_two_processes_never_write_one_place(tmp_path: Path) -> None:
    with holder(tmp_path / "x"):
        started = time.monotonic()
        with pytest.raises(OutputError, match="another process is writing it"), locked(tmp_path / "x"):
            pass
        with pytest.raises(OutputError, match="another process is writing it"), new_folder(tmp_path / "x"):
            pass
        assert time.monotonic() - started < 5
        with locked(tmp_path / "y"):
            pass
    assert not (tmp_path / "x").exists()


def test_a_killed_writer_holds_nothing(tmp_path: Path) -> None:
    with holder(tmp_path / "x") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert [path.name for path in tmp_path.iterdir()] == [".x.lock"]
    with locked(tmp_path / "x"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_writer_that_waits_gets_its_turn(tmp_path: Path) -> None:
    with holder(tmp_path / "x") as process:
        release = subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {process.pid}"])
        write_whole(tmp_path / "x", [b"mine"])
        release.wait()
    assert (tmp_path / "x").read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_nothing_is_counted_twice_by_many_writers(tmp_path: Path) -> None:
    (tmp_path / "n").write_text("0")
    command = [sys.executable, "-c", COUNTS, str(tmp_path / "n")]
    writers = [subprocess.Popen(command) for _ in range(4)]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0, 0]
    assert (tmp_path / "n").read_text() == "200"
    assert [path.name for path in tmp_path.iterdir()] == ["n"]


def test_a_lock_that_was_removed_meanwhile_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder let go and removed it between our opening and our locking."""
    real, seen = fcntl.flock, []

    def late(descriptor: int, how: int) -> None:
        if not seen:
            (tmp_path / ".x.lock").unlink()
        seen.append(os.fstat(descriptor).st_ino)
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with locked(tmp_path / "x"):
        assert (tmp_path / ".x.lock").stat().st_ino == seen[-1]
    assert len(seen) == 2


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def none(descriptor: int, how: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", none)
    write_whole(tmp_path / "x", [b"1"])
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def to_link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "victim")


@pytest.mark.parametrize("make", [to_link, Path.mkdir], ids=["link", "folder"])
def test_something_else_in_the_locks_place_is_left_alone(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "in").mkdir()
    make(tmp_path / "in" / ".x.lock")
    with pytest.raises(OutputError, match="can't be written"):
        write_whole(tmp_path / "in" / "x", [b"1"])
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert [path.name for path in (tmp_path / "in").iterdir()] == [".x.lock"]


def test_long_names_are_cut_and_told_apart(tmp_path: Path) -> None:
    first, second = tmp_path / ("n" * 50 + "1"), tmp_path / ("n" * 50 + "2")
    assert partial(first) != partial(second)
    with new_folder(first) as one, new_folder(second) as two:
        (one / "a").write_text("1")
        (two / "a").write_text("2")
    assert (first / "a").read_text() == "1"
    assert (second / "a").read_text() == "2"


LONGEST_NAMES = ("n" * 255, "\N{GRINNING FACE}" * 63 + "abc", "é ü", "-", "\udcff", "a\nb", ".partial", "..x")


@pytest.mark.parametrize("name", LONGEST_NAMES, ids=ascii)
def test_names_of_every_length_and_script(tmp_path: Path, name: str) -> None:
    for content in (b"1", b"2"):
        write_whole(tmp_path / name, [content])
        assert (tmp_path / name).read_bytes() == content
    (tmp_path / name).unlink()
    for content in (b"1", b"2"):
        with new_folder(tmp_path / name, replace="mark") as folder:
            (folder / "mark").write_bytes(content)
        assert (tmp_path / name / "mark").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a\0b", "\ud800", ""], ids=ascii)
def test_names_that_no_file_has(name: str) -> None:
    with pytest.raises(ValueError, match=r"a path without end|surrogates not allowed|empty name"):
        beside(Path(name), "lock")


def test_many_exports_at_once_to_one_place(tmp_path: Path) -> None:
    """Each is written whole or refused, and the place holds one of them; how often who wins is chance."""
    script = """
import sys
from pathlib import Path
from editkit.atomic import new_folder
from editkit.errors import OutputError
place, mine = Path(sys.argv[1]), sys.argv[2]
for _ in range(40):
    try:
        with new_folder(place, replace="editkit.json") as made:
            for n in range(5):
                (made / str(n)).write_text(mine)
            (made / "editkit.json").write_text(mine)
        held = "written"
    except OutputError as error:
        assert "another process is writing it" in str(error), error
        held = "refused"
    print(held)
"""
    place = tmp_path / "x"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(place), str(number)], stdout=subprocess.PIPE, text=True
        )
        for number in range(4)
    ]
    said = [line for writer in writers for line in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0] * 4
    assert said.count("written") >= 4
    assert len({path.read_text() for path in place.iterdir()}) == 1
    assert {path.name for path in place.iterdir()} == {"0", "1", "2", "3", "4", "editkit.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
