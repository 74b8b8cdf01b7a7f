"""What `--force` may replace: an export as editkit wrote it, and nothing of anybody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from editkit.errors import OutputError
from editkit.export.exported import seal
from editkit.patch.file import Patch
from editkit.patch.manifest import MANIFEST, replaceable


@pytest.fixture
def folder(patch: Patch, tmp_path: Path) -> Path:
    made = tmp_path / "made"
    made.mkdir()
    (made / "config.json").write_text("{}")
    seal(made, "merged", patch, "editkit/p.editkit.safetensors")
    return made


def test_an_export_is_replaced_where_its_user_says_so(folder: Path, tmp_path: Path) -> None:
    (folder / "model.sig").write_text("{}")
    assert replaceable(folder, True) == MANIFEST
    assert replaceable(folder, False) is None
    assert replaceable(tmp_path / "nothing", True) == MANIFEST


@pytest.mark.parametrize("name", ["thesis.txt", ".git/HEAD", "editkit/notes.md"])
def test_what_somebody_put_there_is_not(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    with pytest.raises(OutputError, match=f"did not write .{name}.: move that away"):
        replaceable(folder, True)


def test_nor_a_folder_that_only_looks_like_one(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{}")
    with pytest.raises(OutputError, match="so it is not replaced"):
        replaceable(tmp_path, True)
