"""What is written line by line, and read while it is written."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from editkit.errors import TrackError
from editkit.track.journal import LINES, Journal, Lines, copied, file_of, journals, removed, sendable


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / ".editkit" / "spool" / "one")


def test_a_reader_sees_whole_lines_only(journal: Journal) -> None:
    journal.write("params", 0, values={"word": "Größe \ud800"})
    with closing(Lines(journal.folder)) as lines, (journal.folder / LINES).open("ab") as file:
        (first,) = lines.new()
        assert (first["op"], first["run"], first["values"]) == ("params", 0, {"word": "Größe \ud800"})
        file.write(b'{"op": "tags", "run": 0, "at"')
        file.flush()
        assert list(lines.new()) == []
        file.write(b": 7}\n")
        file.flush()
        (second,) = lines.new()
    assert second == {"op": "tags", "run": 0, "at": 7}


@pytest.mark.parametrize("line", [b"not JSON\n", b"[]\n", b'{"op": "tags"}\n', b"\xff\n"])
def test_a_damaged_line_is_no_entry(journal: Journal, line: bytes) -> None:
    with (journal.folder / LINES).open("ab") as file:
        file.write(line)
    with closing(Lines(journal.folder)) as lines, pytest.raises(TrackError, match="a damaged journal"):
        list(lines.new())


def test_a_file_keeps_what_it_was_when_it_was_given(journal: Journal, tmp_path: Path) -> None:
    source = tmp_path / "patch"
    source.write_text("one")
    journal.file(0, "patch/p", copied(source))
    (tmp_path / "new").write_text("two")
    os.replace(tmp_path / "new", source)
    assert sendable(journal.folder, 0, "patch/p").read_text() == "one"
    journal.file(0, "patch/p", copied(source))
    assert sendable(journal.folder, 0, "patch/p").read_text() == "two"


@pytest.mark.parametrize("place", ["", "/etc/passwd", "../lines", "a/../../b"])
def test_no_place_lies_outside(journal: Journal, place: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        file_of(journal.folder, 0, place)
    with pytest.raises(TrackError):
        sendable(journal.folder, 0, place)


def test_a_link_to_another_file_of_this_machine_is_not_sent(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    place = file_of(journal.folder, 0, "report.md")
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "secret")
    with pytest.raises(TrackError, match="is gone"):
        sendable(journal.folder, 0, "report.md")


def test_what_cannot_be_written_ends_it(journal: Journal) -> None:
    (journal.folder / "files").write_text("in the way")
    journal.file(0, "a", copied(Path(__file__)))
    assert journal.why is not None
    journal.write("tags", 0, values={})
    assert (journal.folder / LINES).read_bytes() == b""


def test_journals_are_found_and_removed(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert journals() == [journal.folder]
    assert journal.folder.stat().st_mode & 0o077 == 0
    removed(journal.folder)
    assert journals() == []
    assert not (tmp_path / ".editkit").exists()
