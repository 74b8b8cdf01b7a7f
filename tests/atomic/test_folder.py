"""A folder is there whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from editkit.atomic import new_folder, vacant
from editkit.errors import ModelError, OutputError


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
        pytest.raises(OutputError, match=r"16.0 GB are to be written and 1.0 GB are free"),
        new_folder(tmp_path / "made", 16 * 10**9),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


MARK = "editkit.json"


def write(place: Path, content: str = "new", replace: str | None = MARK) -> None:
    with new_folder(place, replace=replace) as folder:
        (folder / MARK).write_text(content)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_only_what_editkit_wrote_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "x"
    write(place, "1")
    with pytest.raises(OutputError, match="is there already; name another place"):
        write(place, replace=None)
    write(place, "2")
    assert (place / MARK).read_text() == "2"
    (place / MARK).unlink()
    write(place, "3")  # an empty one
    (place / MARK).rename(place / "thesis.tex")
    with pytest.raises(OutputError, match=r"nothing that editkit wrote \(it has no editkit.json\)"):
        write(place)
    assert names(place) == ["thesis.tex"]
    assert names(tmp_path) == ["x"]


def test_a_file_or_link_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    write(tmp_path / "real", "old")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("file", "link", "dangling"):
        with pytest.raises(OutputError, match="is there already"):
            write(tmp_path / name)
    assert (tmp_path / "real" / MARK).read_text() == "old"
    assert names(tmp_path) == ["dangling", "file", "link", "real"]


def test_what_comes_to_the_place_meanwhile_is_kept(tmp_path: Path) -> None:
    def overtaken() -> None:
        with new_folder(tmp_path / "x", replace=MARK) as folder:
            (folder / MARK).write_text("new")
            (tmp_path / "x").mkdir()
            (tmp_path / "x" / "thesis.tex").touch()

    with pytest.raises(OutputError, match="nothing that editkit wrote"):
        overtaken()
    assert names(tmp_path / "x") == ["thesis.tex"]
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_a_killed_writers_leftovers_are_cleared(tmp_path: Path, kind: str) -> None:
    left, elsewhere = tmp_path / ".x.partial", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (tmp_path / ".x.lock").touch()
    if kind == "folder":
        (left / "deep").mkdir(parents=True)
        (left / "deep" / "half").touch()
        (left / "out").symlink_to(elsewhere)
    elif kind == "file":
        left.write_text("half")
    else:
        left.symlink_to(elsewhere)
    write(tmp_path / "x")
    assert names(tmp_path / "x") == [MARK]
    assert names(elsewhere) == ["precious"]
    assert names(tmp_path) == ["elsewhere", "x"]


def test_a_place_below_a_link_is_written_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    write(tmp_path / "link" / "x")
    assert (tmp_path / "disk" / "x" / MARK).read_text() == "new"


@pytest.mark.parametrize("name", ["n" * 256, "a\0b", "\ud800", "", "."], ids=ascii)
def test_impossible_names_are_refused_before_the_work(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"can't be written|no possible name|is there already"):
        vacant(tmp_path / name)
    with pytest.raises(OutputError, match=r"can't be written|no possible name|is there already"):
        write(tmp_path / name, replace=None)
    assert names(tmp_path) == []


def test_a_mistake_in_the_block_is_not_called_a_bad_name(tmp_path: Path) -> None:
    def failing() -> None:
        with new_folder(tmp_path / "x"):
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        failing()
    assert names(tmp_path) == []
