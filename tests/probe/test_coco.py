"""Pictures of COCO files know where what they show is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from editkit.errors import InputError
from editkit.plan import Picture
from editkit.probe.coco import pictures

SQUARE = [2, 1, 6, 1, 6, 5, 2, 5]


def one(tmp_path: Path, *annotations: dict[str, Any], **entry: Any) -> Picture:
    """A picture of 20 x 10 with these annotations."""
    Image.new("RGB", (20, 10)).save(tmp_path / "a.png")
    document = {
        "images": [{"id": 1, "file_name": "a.png", "height": 10, "width": 20, **entry}],
        "categories": [{"id": 7, "name": "dog"}, {"id": 8, "name": "cat"}],
        "annotations": [
            {"id": at, "image_id": 1, "category_id": 7, **own} for at, own in enumerate(annotations)
        ],
    }
    (tmp_path / "i.json").write_text(json.dumps(document))
    (found,) = pictures(tmp_path / "i.json", tmp_path, None)
    return found


def test_all_annotations_of_a_category_are_one_region(tmp_path: Path) -> None:
    crowd = {"size": [10, 20], "counts": [190, 10]}
    found = one(
        tmp_path,
        {"segmentation": [SQUARE]},
        {"segmentation": crowd, "iscrowd": 1},
        {"segmentation": [SQUARE], "category_id": 8},
    )
    expected = np.zeros((10, 20), dtype=np.bool_)
    expected[1:5, 2:6] = True
    assert np.array_equal(found.regions["cat"]().mask(), expected)
    expected[:, 19] = True
    assert np.array_equal(found.regions["dog"]().mask(), expected)
    assert found.contains == {"dog", "cat"} == set(found.regions)


@pytest.mark.parametrize(
    ("annotation", "entry", "said"),
    [
        ({}, {}, r"^i\.json: a\.png: annotation 0 can't be read: it has no segmentation"),
        ({"segmentation": [[1, 2, 3, 4]]}, {}, "annotation 0 can't be read: a polygon is a list"),
        ({"segmentation": [SQUARE]}, {"height": None}, "its entry has no height and width"),
        ({"segmentation": [SQUARE]}, {"width": 2_000_000}, "the mask has 2000000 x 10 pixels"),
    ],
)
def test_what_can_not_be_read_is_told_when_it_is_asked_for(
    tmp_path: Path, annotation: dict[str, Any], entry: dict[str, Any], said: str
) -> None:
    found = one(tmp_path, annotation, **entry)
    with pytest.raises(InputError, match=said):
        found.regions["dog"]()


@pytest.mark.real
def test_regions_of_photographs_have_the_areas_that_coco_tells(real_data: Callable[[str], Path]) -> None:
    root = real_data("coco")
    document = json.loads((root / "instances.json").read_text())
    names = {item["id"]: item["name"] for item in document["categories"]}
    files = {item["id"]: item["file_name"] for item in document["images"]}
    told: dict[tuple[str, str], list[float]] = defaultdict(list)
    crowds = set()
    for item in document["annotations"]:
        key = files[item["image_id"]], names[item["category_id"]]
        told[key].append(item["area"])
        crowds |= {key} if item["iscrowd"] else set()
    found = {
        (picture.name, kind): (
            int(region().mask().sum()),
            picture.open().size == (region().width, region().height),
        )
        for picture in pictures(root / "instances.json", root / "images", None)
        for kind, region in picture.regions.items()
    }
    assert found.keys() == told.keys()
    assert len(crowds) == 5
    for key, areas in told.items():
        area, fits = found[key]
        assert fits
        # Pixels are whole, and objects of one kind may hide each other.
        assert area == pytest.approx(sum(areas), rel=0.03, abs=3 * np.sqrt(sum(areas))) or len(areas) > 1
        assert max(areas) * 0.9 <= area + 8 <= sum(areas) * 1.1 + 16
