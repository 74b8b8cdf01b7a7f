"""Pictures of a folder with the masks or boxes that somebody made for them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editkit.errors import InputError, RecipeError
from editkit.plan import Picture
from editkit.probe.folder import pictures
from editkit.recipe import FolderImages, Recipe, parse_recipe


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    (tmp_path / "shots").mkdir()
    for name in ("a.png", "b.jpg", "c.jpg"):
        Image.new("RGB", (10, 8)).save(tmp_path / "shots" / name)
    (tmp_path / "masks").mkdir()
    drawn = np.zeros((8, 10), dtype=np.uint8)
    drawn[1, 2:5] = 255
    Image.fromarray(drawn).save(tmp_path / "masks" / "b.dog.png")
    (tmp_path / "boxes.json").write_text(json.dumps({"b.jpg": [{"label": "dog", "box": [2, 1, 3, 1]}]}))
    text = "version: 1\nname: x\nmodel: ./m\nprobe: {images: ./shots}\nedits: [{suppress: gun}]\n"
    return parse_recipe(text, folder=tmp_path)


@pytest.mark.parametrize("sort", ["masks", "boxes"])
@pytest.mark.parametrize(("where", "count"), [("shots", None), ("shots", 2), ("shots/*.jpg", None)])
def test_what_is_marked_is_known_and_nothing_else_is_there(
    recipe: Recipe, sort: str, where: str, count: int | None
) -> None:
    given = {sort: "masks" if sort == "masks" else "boxes.json"}
    found = {one.name: one for one in pictures(recipe, FolderImages(folder=where, count=count, **given))}
    assert {name: one.contains for name, one in found.items() if name != "b.jpg"} == {
        name: frozenset() for name in found if name != "b.jpg"
    }
    assert found["b.jpg"].contains == {"dog"}
    (row, left), *_, (_, right) = np.argwhere(found["b.jpg"].regions["dog"]().mask())
    assert (row, left, right) == (1, 2, 4)


def test_without_marks_nobody_knows(recipe: Recipe) -> None:
    found = pictures(recipe, FolderImages(folder="shots"))
    assert found[0] == Picture("a.png", recipe.resolve("shots/a.png"))
    assert [(one.contains, one.regions) for one in found] == [(None, {})] * 3


def test_a_glob_may_leave_out_pictures_that_are_marked(recipe: Recipe) -> None:
    (found,) = pictures(recipe, FolderImages(folder="shots/*.png", masks="masks"))
    assert (found.name, found.contains) == ("a.png", frozenset())


def test_masks_among_the_pictures_are_refused(recipe: Recipe) -> None:
    with pytest.raises(InputError, match="put the masks into a folder of their own"):
        pictures(recipe, FolderImages(folder="shots", masks="./shots"))


def test_masks_and_boxes_are_one_or_the_other() -> None:
    text = "version: 1\nname: x\nmodel: ./m\nedits: [{suppress: gun}]\nprobe:\n  images:\n    folder: a\n"
    with pytest.raises(RecipeError, match=r"probe\.images\.boxes: give masks or boxes, not both"):
        parse_recipe(text + "    masks: b\n    boxes: c\n")
