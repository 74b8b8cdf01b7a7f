"""Painted pictures are made once and kept by what they were made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from editkit.demo.world import scene
from editkit.errors import InputError, OutputError
from editkit.plan import Picture
from editkit.probe.inpaint.blur import Blur
from editkit.probe.inpaint.mean import Mean
from editkit.probe.painting import Painter, cache_folder
from editkit.probe.scenes import picture
from editkit.recipe import parse_recipe
from editkit.region import Region

SHOWN = picture("a.png", scene(1, 2))
MASK = np.zeros((64, 64), dtype=np.bool_)
MASK[10:30, 5:25] = True


@pytest.fixture
def painter(tmp_path: Path) -> Painter:
    return Painter(Mean(), "mean", tmp_path / "twins")


def test_the_file_is_the_filled_picture(painter: Painter) -> None:
    painted = painter.over(SHOWN, Region.of(MASK), "b")
    assert (painted.picture.name, painted.region) == ("b", Region.of(MASK))
    assert painted.picture.contains == SHOWN.contains
    before, after = np.asarray(SHOWN.open()), np.asarray(painted.picture.open())
    assert np.array_equal(after, Mean().fill(before, MASK))


def test_what_is_there_is_not_painted_again(painter: Painter) -> None:
    first = painter.over(SHOWN, Region.of(MASK), "b").picture.source
    assert isinstance(first, Path)
    before = first.stat()
    assert painter.over(SHOWN, Region.of(MASK), "other name").picture.source == first
    assert (first.stat().st_mtime_ns, first.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert [path.name for path in painter.folder.iterdir()] == [first.name], "no temporary file stays"


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "another picture", "no picture"])
def test_a_damaged_file_is_made_anew(painter: Painter, damage: str) -> None:
    path = painter.over(SHOWN, Region.of(MASK), "b").picture.source
    assert isinstance(path, Path)
    whole = path.read_bytes()
    spoiled = {
        "cut": whole[: len(whole) // 2],
        "changed": whole[:600] + bytes([whole[600] ^ 1]) + whole[601:],
        "another picture": _png(),
        "no picture": b"x" * len(whole),
    }
    path.unlink() if damage == "gone" else path.write_bytes(spoiled[damage])
    assert painter.over(SHOWN, Region.of(MASK), "b").picture.source == path
    assert path.read_bytes() == whole


def _png() -> bytes:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (9, 9)).save(stream, format="PNG")
    return stream.getvalue()


def test_another_picture_mask_method_or_setting_is_another_file(tmp_path: Path) -> None:
    other = picture("a.png", scene(1, 3))
    moved = np.roll(MASK, 1, axis=0)
    made = [
        Painter(inpainter, name, tmp_path).over(shown, Region.of(mask), "b").picture.source
        for inpainter, name, shown, mask in (
            (Mean(), "mean", SHOWN, MASK),
            (Mean(), "mean", other, MASK),
            (Mean(), "mean", SHOWN, moved),
            (Blur(), "blur", SHOWN, MASK),
            (Blur(radius=0.1), "blur", SHOWN, MASK),
        )
    ]
    assert len(set(made)) == len(made)


def test_painting_that_changes_nothing_and_a_mask_of_everything(painter: Painter, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (64, 64), "red").save(tmp_path / "red.png")
    plain = Picture("red.png", tmp_path / "red.png")
    with pytest.raises(
        InputError, match=r"^red\.png: its twin is equal to it, because mean changed no pixel"
    ):
        painter.over(plain, Region.of(MASK), "b", must_change=True)
    assert not painter.folder.exists()
    painter.over(plain, Region.of(MASK), "b")
    with pytest.raises(InputError, match="covers the whole picture"):
        painter.over(plain, Region.of(np.ones_like(MASK)), "b")


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"can't be kept there .*: set probe\.twins\.cache"):
        Painter(Mean(), "mean", tmp_path / "file" / "twins").over(SHOWN, Region.of(MASK), "b")


def test_where_twins_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDITKIT_HOME", "/own")
    assert cache_folder() == Path("/own/twins")
    monkeypatch.delenv("EDITKIT_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_folder() == Path("/caches/editkit/twins")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "editkit" / "twins"
    text = "version: 1\nname: a\nmodel: ./m\nedits: [{suppress: b}]\n"
    twins = "probe: {prompts: [c], twins: {cache: kept, method: blur}}\n"
    found = Painter.of(parse_recipe(text + twins, folder=tmp_path))
    assert (found.folder, found.name, found.inpainter) == (tmp_path / "kept", "blur", Blur())
