"""Twins of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editkit.errors import InputError
from editkit.plan import Picture, PlannedEdit
from editkit.probe.pairs import check, difference, twin_file

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.fixture
def shown(tmp_path: Path) -> Picture:
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    return Picture("a.png", tmp_path / "a.png")


def twin(tmp_path: Path, pixels: np.ndarray) -> Path:
    (tmp_path / "pairs").mkdir(exist_ok=True)
    Image.fromarray(pixels).save(tmp_path / "pairs" / "a.png")
    return tmp_path / "pairs" / "a.png"


def test_a_twin_is_named_as_its_picture_or_with_the_word(
    tmp_path: Path, shown: Picture, edit_of: Callable[..., PlannedEdit]
) -> None:
    folder = tmp_path / "pairs"
    folder.mkdir()
    assert twin_file(folder, shown, edit_of(0, "dog")) is None
    for name in ("a.png", "a.small_dog.png", "ab.dog.png", "a.hotdog.png"):
        (folder / name).touch()
    assert twin_file(folder, shown, edit_of(0, "cat")) == folder / "a.png"
    assert twin_file(folder, shown, edit_of(0, "dog")) == folder / "a.small_dog.png"


def test_its_region_is_what_differs(tmp_path: Path, shown: Picture) -> None:
    other = PIXELS.copy()
    other[4:9, 10:12, 1] ^= 1
    mask = difference(shown, twin(tmp_path, other)).mask()
    assert mask.sum() == 10
    assert mask[4:9, 10:12].all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda pixels: pixels, "it is the same picture"),
        (lambda pixels: pixels[:, 1:], "it has 29 x 20 pixels and the upright picture 30 x 20"),
        (lambda pixels: pixels ^ 1, r"100% of the pixels differ: .* without loss \(PNG\)"),
    ],
)
def test_what_is_no_twin(
    tmp_path: Path, shown: Picture, change: Callable[[np.ndarray], np.ndarray], said: str
) -> None:
    with pytest.raises(InputError, match=rf"^probe\.twins\.pairs: a\.png, the twin of a\.png: {said}"):
        difference(shown, twin(tmp_path, change(PIXELS)))


def test_files_that_can_not_be_read_are_named(tmp_path: Path, shown: Picture) -> None:
    file = twin(tmp_path, PIXELS)
    file.write_bytes(b"x")
    with pytest.raises(InputError, match=r"pairs: a\.png, the twin of a\.png: not a readable picture"):
        difference(shown, file)
    with pytest.raises(InputError, match=r"probe\.twins\.pairs: no folder .*nowhere"):
        check(tmp_path / "nowhere")
