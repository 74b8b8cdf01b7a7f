"""Boxes around objects, from a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from editkit.errors import InputError
from editkit.plan import Picture
from editkit.probe.masks.boxes import read, region


def written(tmp_path: Path, document: Any) -> Path:
    file = tmp_path / "boxes.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


@pytest.fixture
def shown(tmp_path: Path) -> Picture:
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    return Picture("a.png", tmp_path / "a.png")


def test_boxes_of_one_label_are_one_region(tmp_path: Path, shown: Picture) -> None:
    entries = [
        {"label": "dog", "box": [1, 2, 3, 4]},
        {"label": "cat", "box": [0, 0, 30, 20]},
        {"label": "dog", "box": [10.5, 2.5, 1, 1], "score": 0.9},
    ]
    file = written(tmp_path, {"a.png": entries, "b.png": []})
    found = read(file, {"a.png", "b.png"})
    assert found == {"a.png": {"dog": ((1, 2, 3, 4), (10.5, 2.5, 1, 1)), "cat": ((0, 0, 30, 20),)}}
    expected = np.zeros((20, 30), dtype=np.bool_)
    expected[2:6, 1:4] = expected[2:4, 10:12] = True
    assert np.array_equal(region(found["a.png"]["dog"], shown, file).mask(), expected)
    assert region(found["a.png"]["cat"], shown, file).share == 1.0


@given(st.integers(0, 29), st.integers(0, 19), st.integers(1, 30), st.integers(1, 20))
def test_a_box_of_whole_pixels_has_its_area_or_is_refused(left: int, top: int, wide: int, high: int) -> None:
    shown = Picture("a.png", PNG)
    if left + wide > 30 or top + high > 20:
        with pytest.raises(InputError, match=r"leaves the upright picture of 30 x 20 pixels"):
            region(((left, top, wide, high),), shown, Path("b.json"))
    else:
        found = region(((left, top, wide, high),), shown, Path("b.json"))
        assert found.mask().sum() == wide * high
        assert found.mask()[top, left]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "is no JSON"),
        ([], "has no pictures' names"),
        ({"z.png": []}, r"boxes of z\.png, which is not among the pictures"),
        ({"a.png": {}}, r"a\.png: expected a list"),
        ({"a.png": [{"label": "dog"}]}, "box 0: expected a label and a box"),
        ({"a.png": [{"label": " ", "box": [1, 1, 1, 1]}]}, "box 0: expected a label"),
        ({"a.png": [{"label": "d", "box": [1, 1, 1]}]}, "expected four numbers"),
        ({"a.png": [{"label": "d", "box": [1, 1, 1, True]}]}, "expected four numbers"),
        ({"a.png": [{"label": "d", "box": [1, 1, 10**400, 1]}]}, "expected four numbers"),
        ("[" * 100_000, "is no JSON"),
        ({"a.png": [{"label": "d", "box": [1, 1, 1, float("inf")]}]}, "expected four numbers"),
        ({"a.png": [{"label": "d", "box": [1, 1, 0, 4]}]}, "an empty box, 0 pixels wide and 4 high"),
    ],
)
def test_files_that_make_no_sense(tmp_path: Path, document: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(written(tmp_path, document), {"a.png"})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read"):
        read(tmp_path / "none.json", set())


def _png() -> bytes:
    import io

    stream = io.BytesIO()
    Image.new("RGB", (30, 20)).save(stream, format="PNG")
    return stream.getvalue()


PNG = _png()
