"""Edit cases get their picture without what the edit speaks of, and random regions beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.morphology import isotropic_dilation

from editkit.demo import sets, world
from editkit.errors import InputError, RecipeError, UsageError
from editkit.events import Event, Noted, StageStarted, nobody
from editkit.plan import EditPlan, Picture, PlannedEdit
from editkit.probe import coco, scenes
from editkit.probe.twins import check, with_twins
from editkit.recipe import Recipe, parse_recipe
from editkit.region import Region

Edits = Callable[..., PlannedEdit]
Plans = Callable[..., EditPlan]


@pytest.fixture
def recipe(tmp_path: Path) -> Callable[..., Recipe]:
    """`recipe(grow=1)`: one whose `probe.twins` has these settings, with a cache of its own."""

    def make(seed: int = 0, **settings: Any) -> Recipe:
        lines = "".join(f"    {key}: {value}\n" for key, value in {"cache": "kept", **settings}.items())
        text = f"version: 1\nname: a\nmodel: ./m\nseed: {seed}\nedits: [{{suppress: b}}]\n"
        return parse_recipe(f"{text}probe:\n  prompts: [c]\n  twins:\n{lines}", folder=tmp_path)

    return make


def test_the_gun_is_gone_and_nothing_else_changed(
    recipe: Callable[..., Recipe], plan_of: Plans, edit_of: Edits
) -> None:
    plan = plan_of(scenes.pictures("guns", 6, 3), [edit_of(0, "gun")], ["What?", "Where?"])
    made = with_twins(recipe(grow=1), plan, nulls=3, tell=nobody)
    drawn = [one for one in sets.scenes("guns", 6, 3) for _ in range(2)]
    for case, old, scene in zip(made.cases, plan.cases, drawn, strict=True):
        assert replace(case, twins=()) == old
        (twin,) = case.twins
        grown = isotropic_dilation(world.masks(scene)["gun"], 1)
        assert twin.edit == 0
        before = np.asarray(case.question.images[0].open())
        for painted in (twin.without, *twin.nulls):
            mask = painted.region.mask()
            after = np.asarray(painted.picture.open())
            assert mask.sum() == grown.sum()
            assert np.array_equal(before[~mask], after[~mask])
            assert (before[mask] != after[mask]).any(axis=-1).mean() > 0.9
        assert np.array_equal(twin.without.region.mask(), grown)
        assert not any((null.region.mask() & grown).any() for null in twin.nulls)
        assert len({null.region for null in twin.nulls}) == 3
        assert twin.without.picture.contains == set(scene.kinds) - {"gun"}
        assert {null.picture.contains for null in twin.nulls} == {frozenset(scene.kinds)}
    assert made.cases[0].twins == made.cases[1].twins, "one picture, one twin"


def test_twins_are_made_once_and_hang_on_the_seed(
    recipe: Callable[..., Recipe], plan_of: Plans, edit_of: Edits, tmp_path: Path
) -> None:
    plan = plan_of(scenes.pictures("guns", 3, 3), [edit_of(0, "gun")])
    first = with_twins(recipe(), plan, nulls=2, tell=nobody)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()}
    assert len(kept) == 9
    assert with_twins(recipe(), plan, nulls=2, tell=nobody) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()} == kept
    more = with_twins(recipe(), plan, nulls=3, tell=nobody)
    assert [case.twins[0].nulls[:2] for case in more.cases] == [case.twins[0].nulls for case in first.cases]
    other = with_twins(recipe(seed=1), plan, nulls=2, tell=nobody)
    assert [case.twins[0].without for case in other.cases] == [case.twins[0].without for case in first.cases]
    assert all(
        one.twins[0].nulls != two.twins[0].nulls for one, two in zip(other.cases, first.cases, strict=True)
    )


def test_several_edits_other_roles_and_the_count(
    recipe: Callable[..., Recipe], plan_of: Plans, edit_of: Edits
) -> None:
    edits = [edit_of(0, "fork", "spoon"), edit_of(1, "knife")]
    pictures = scenes.pictures("spoons", 8, 0)
    plan = plan_of(pictures, edits)
    scored = replace(plan.cases[0], role="held_out")
    plan = replace(plan, cases=(scored, *plan.cases[1:]))
    heard: list[Event] = []
    made = with_twins(recipe(count=3), plan, nulls=0, tell=heard.append)
    assert made.cases[0] == scored
    assert [[twin.edit for twin in case.twins] for case in made.cases[1:]] == [[0, 1]] * 3 + [[]] * 4
    assert StageStarted("paint twins", 6) in heard
    for case in made.cases[1:4]:
        for twin in case.twins:
            (gone,) = case.question.contains() - (twin.without.picture.contains or set())
            assert gone in edits[twin.edit].sources


def test_kinds_that_name_the_source_are_painted_over_together(
    recipe: Callable[..., Recipe], plan_of: Plans, edit_of: Edits
) -> None:
    left, right = np.zeros((64, 64), dtype=np.bool_), np.zeros((64, 64), dtype=np.bool_)
    left[5:20, 5:20], right[30:50, 40:60] = True, True
    regions = {"dining table": partial(Region.of, left), "tables": partial(Region.of, right)}
    shown = replace(scenes.pictures("clear", 1, 0)[0], contains=frozenset(regions), regions=regions)
    made = with_twins(recipe(grow=0), plan_of([shown], [edit_of(0, "table", "tables")]), nulls=0, tell=nobody)
    assert np.array_equal(made.cases[0].twins[0].without.region.mask(), left | right)


def _masked(mask: np.ndarray) -> Picture:
    shown = scenes.pictures("clear", 1, 0)[0]
    return replace(shown, contains=frozenset({"dog"}), regions={"dog": lambda: Region.of(mask)})


EMPTY = np.zeros((64, 64), dtype=np.bool_)
FULL = np.ones((64, 64), dtype=np.bool_)


def test_an_empty_mask_and_one_that_covers_everything(
    recipe: Callable[..., Recipe], plan_of: Plans, edit_of: Edits
) -> None:
    edits = [edit_of(0, "dog")]
    with pytest.raises(InputError, match=r"^edits\[0\]: clear-0000\.png: the object's mask is empty"):
        with_twins(recipe(), plan_of([_masked(EMPTY)], edits), nulls=1, tell=nobody)
    with pytest.raises(InputError, match=r"^edits\[0\]: .* nearly all of clear-0000\.png \(100%\): give"):
        with_twins(recipe(), plan_of([_masked(FULL)], edits), nulls=1, tell=nobody)
    other = np.zeros((64, 64), dtype=np.bool_)
    other[5:20, 5:20] = True
    good = replace(scenes.pictures("clear", 2, 0)[1], **vars(_masked(other)) | {"name": "b.png"})
    heard: list[Event] = []
    made = with_twins(recipe(), plan_of([_masked(FULL), good], edits), nulls=1, tell=heard.append)
    assert [len(case.twins) for case in made.cases] == [0, 1]
    (noted,) = (event for event in heard if isinstance(event, Noted))
    assert noted.warning
    assert "nearly all of clear-0000.png (100%): no twins of these" in noted.text


def test_regions_without_room_are_told(recipe: Callable[..., Recipe], plan_of: Plans, edit_of: Edits) -> None:
    wide = EMPTY.copy()
    wide[:, 8:56] = True
    heard: list[Event] = []
    with_twins(recipe(grow=0), plan_of([_masked(wide)], [edit_of(0, "dog")]), nulls=2, tell=heard.append)
    (noted,) = (event for event in heard if isinstance(event, Noted))
    assert noted.text.startswith(
        "edits[0]: 2 of 2 random regions have no room beside the object, and overlap"
    )


def test_a_twin_that_is_equal_to_its_picture(
    recipe: Callable[..., Recipe], plan_of: Plans, edit_of: Edits, tmp_path: Path
) -> None:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "red.png")
    part = EMPTY.copy()
    part[3:9, 3:9] = True
    plain = replace(_masked(part), name="red.png", source=tmp_path / "red.png")
    with pytest.raises(InputError, match=r"red\.png: its twin is equal to it, because biharmonic changed"):
        with_twins(recipe(), plan_of([plain], [edit_of(0, "dog")]), nulls=1, tell=nobody)


def test_the_users_own_pairs(
    recipe: Callable[..., Recipe], plan_of: Plans, edit_of: Edits, tmp_path: Path
) -> None:
    pictures = [replace(one, regions={}) for one in scenes.pictures("guns", 3, 0)]
    (tmp_path / "own").mkdir()
    for one in pictures[:2]:
        pixels = np.asarray(one.open()).copy()
        pixels[4:20, 4:30] ^= 255
        Image.fromarray(pixels).save(tmp_path / "own" / one.name)
    made = with_twins(recipe(pairs="own"), plan_of(pictures, [edit_of(0, "gun")]), nulls=2, tell=nobody)
    assert [len(case.twins) for case in made.cases] == [1, 1, 0]
    twin = made.cases[0].twins[0]
    assert twin.without.picture.source == tmp_path / "own" / pictures[0].name
    assert "gun" not in (twin.without.picture.contains or {"gun"})
    assert twin.without.region.mask().sum() == 16 * 26
    assert [null.region.mask().sum() for null in twin.nulls] == [16 * 26] * 2


def test_nothing_to_paint_over_is_said_with_what_to_do(
    recipe: Callable[..., Recipe], plan_of: Plans, edit_of: Edits, tmp_path: Path
) -> None:
    pictures = scenes.pictures("guns", 3, 0)
    bare = [replace(one, regions={}) for one in pictures]
    (tmp_path / "own").mkdir()
    for plan, settings, said in (
        (
            plan_of(bare, [edit_of(0, "gun")]),
            {},
            "none of the 3 pictures .* at a known place: give probe.images",
        ),
        (plan_of([], [edit_of(0, "gun")]), {}, "its edit cases have no picture to paint over"),
        (plan_of(bare, [edit_of(0, "gun", when="absent")]), {}, "with `when: absent` it is solved on"),
        (plan_of(pictures, [edit_of(0, "gun")]), {"pairs": "own"}, "none of the 3 pictures .* has a twin in"),
    ):
        with pytest.raises(InputError, match=rf"^edits\[0\]: {said}"):
            with_twins(recipe(**settings), plan, nulls=1, tell=nobody)


def test_what_is_missing_is_known_before_anything_is_asked(
    recipe: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    check(recipe())
    with pytest.raises(RecipeError, match="did you mean telea"):
        check(recipe(method="tela"))
    with pytest.raises(InputError, match="no folder"):
        check(recipe(pairs="nowhere"))
    with pytest.raises(InputError, match=r"probe\.twins\.model: no folder"):
        check(recipe(method="diffusers", model="./nowhere"))
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UsageError, match="pip install"):
        check(recipe(method="telea"))


@pytest.mark.real
@pytest.mark.parametrize("method", ["biharmonic", "mean", "blur", "telea", "navier_stokes"])
def test_photographs_with_their_objects_painted_over(
    recipe: Callable[..., Recipe],
    plan_of: Plans,
    edit_of: Edits,
    real_data: Callable[[str], Path],
    method: str,
    tmp_path: Path,
) -> None:
    root = real_data("coco")
    pictures = coco.pictures(root / "instances.json", root / "images", None)
    edits = [edit_of(0, "person"), edit_of(1, "car", "bus"), edit_of(2, "knife"), edit_of(3, "table")]
    plan = plan_of(pictures, edits)
    settings = recipe(method=method, grow=3, count=4)
    made = with_twins(settings, plan, nulls=2, tell=nobody)
    twins = [(case, twin) for case in made.cases for twin in case.twins]
    assert [sum(twin.edit == number for _, twin in twins) for number in range(4)] == [4, 4, 4, 4]
    for case, twin in twins:
        before = np.asarray(case.question.images[0].open())
        area = twin.without.region.mask().sum()
        for painted in (twin.without, *twin.nulls):
            mask = painted.region.mask()
            after = np.asarray(painted.picture.open())
            assert abs(mask.sum() - area) <= 0.01 * area
            assert np.array_equal(before[~mask], after[~mask])
            assert not np.array_equal(before, after)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()}
    assert with_twins(settings, plan, nulls=2, tell=nobody) == made
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()} == kept
