"""A recipe has nothing written outside of its own folder; its user may."""

from __future__ import annotations

from pathlib import Path

import pytest

from editkit.errors import RecipeError
from editkit.recipe import load_recipe
from editkit.shipping import PLACES, destinations, shippable

RECIPE = """version: 1
name: small
model: demo/scenes
probe: {images: {demo: guns}, twins: {cache: %s}}
edits: [{suppress: gun}]
export: {merged: %s, lora: %s, hub: %s}
"""


def write(folder: Path, *places: str) -> Path:
    (folder / "r.yaml").write_text(RECIPE % places)
    return folder / "r.yaml"


@pytest.mark.parametrize("place", ["/etc/x", "../x", "a/../../x", "~/x", "/"])
def test_a_strangers_recipe_writes_nothing_outside(tmp_path: Path, place: str) -> None:
    recipe = load_recipe(write(tmp_path, place, place, place, place), environ={})
    with pytest.raises(RecipeError, match="outside of the recipe's folder") as caught:
        shippable(recipe, tmp_path / "small.editkit.safetensors", force=False)
    assert {problem.path for problem in caught.value.problems} == set(PLACES)
    assert {problem.line for problem in caught.value.problems} == {4, 6}


@pytest.mark.parametrize("place", ["x", "sub/x", "./x", "..x"])
def test_inside_of_its_folder_it_may(tmp_path: Path, place: str) -> None:
    recipe = load_recipe(write(tmp_path, "null", place, "true", "false"), environ={})
    shippable(recipe, tmp_path / "small.editkit.safetensors", force=False)
    assert destinations(recipe, tmp_path / "p.editkit.safetensors")["merged"] == tmp_path / place


def test_its_user_may_name_any_place(tmp_path: Path) -> None:
    path = write(tmp_path, "null", "true", "false", "../x")
    said = [f"export.merged={tmp_path / 'elsewhere'}", "export.hub=../y"]
    recipe = load_recipe(path, said, environ={"EDITKIT_EXPORT__LORA": str(tmp_path / "z")})
    shippable(recipe, tmp_path / "small.editkit.safetensors", force=False)
    assert destinations(recipe, tmp_path / "p")["merged"] == tmp_path / "elsewhere"
