"""A folder is there whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from editkit.atomic import new_folder
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
