"""Pictures that a recipe names: folders, globs, COCO files; each checked before anything is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from editkit.errors import InputError
from editkit.probe.pictures import pictures
from editkit.recipe import CocoImages, FolderImages, Recipe, parse_recipe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "shots"
    place.mkdir()
    for name, colour in (("b.png", "red"), ("a.JPG", "blue"), ("c.webp", "green")):
        Image.new("RGB", (8, 8), colour).save(place / name)
    (place / "notes.txt").write_text("no picture")
    return place


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    text = "version: 1\nname: x\nmodel: ./m\nprobe: {images: ./shots}\nedits: [{suppress: gun}]\n"
    return parse_recipe(text, folder=tmp_path)


def named(recipe: Recipe, where: str, count: int | None = None) -> list[str]:
    return [picture.name for picture in pictures(recipe, FolderImages(folder=where, count=count), 0)]


def test_a_folder_beside_the_recipe_in_the_order_of_names(folder: Path, recipe: Recipe) -> None:
    assert named(recipe, "./shots") == ["a.JPG", "b.png", "c.webp"]
    assert named(recipe, str(folder), 2) == ["a.JPG", "b.png"]
    assert named(recipe, "./shots/*.png") == ["b.png"]


@pytest.mark.parametrize(
    ("where", "said"),
    [("./nowhere", "no folder"), ("./shots/*.gif", "no pictures in"), ("./empty", "no pictures in")],
)
def test_nothing_there(folder: Path, recipe: Recipe, where: str, said: str) -> None:
    (folder.parent / "empty").mkdir()
    with pytest.raises(InputError, match=said):
        named(recipe, where)


def test_one_unreadable_picture_is_named(folder: Path, recipe: Recipe) -> None:
    (folder / "b.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(InputError, match=r"b\.png: not a readable picture"):
        named(recipe, "./shots")
    assert named(recipe, "./shots", 1) == ["a.JPG"], "what is not asked for is not opened"


def coco(folder: Path, **changes: Any) -> CocoImages:
    document = {
        "images": [
            {"id": 1, "file_name": "a.JPG"},
            {"id": 2, "file_name": "b.png"},
            {"id": 3, "file_name": "away.png"},
        ],
        "categories": [{"id": 7, "name": "fork"}, {"id": 8, "name": "knife"}],
        "annotations": [{"image_id": 1, "category_id": 7}, {"image_id": 1, "category_id": 8}],
    }
    (folder / "instances.json").write_text(json.dumps({**document, **changes}))
    return CocoImages(coco="./shots/instances.json", images="./shots")


def test_coco_pictures_know_what_they_show(folder: Path, recipe: Recipe) -> None:
    found = pictures(recipe, coco(folder), 0)
    assert [(picture.name, picture.contains) for picture in found] == [
        ("a.JPG", {"fork", "knife"}),
        ("b.png", frozenset()),
    ]


@pytest.mark.parametrize(
    "changes", [{"annotations": [{"image_id": 9, "category_id": 7}]}, {"categories": [{}]}, {"images": 3}]
)
def test_annotations_that_make_no_sense(folder: Path, recipe: Recipe, changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="no COCO instances file"):
        pictures(recipe, coco(folder, **changes), 0)


def test_annotations_that_are_not_there_or_of_other_pictures(folder: Path, recipe: Recipe) -> None:
    with pytest.raises(InputError, match="can't be read"):
        pictures(recipe, CocoImages(coco="./none.json", images="./shots"), 0)
    alien = coco(folder, images=[{"id": 1, "file_name": "away.png"}])
    with pytest.raises(InputError, match="none of the 1 pictures"):
        pictures(recipe, alien, 0)
