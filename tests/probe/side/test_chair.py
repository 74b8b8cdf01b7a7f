"""Which cases CHAIR counts, by which list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from editkit.demo import world
from editkit.errors import InputError
from editkit.evaluate.chair import named
from editkit.events import nobody
from editkit.model.editable import Editable
from editkit.plan import Case, Picture
from editkit.probe.questions import question
from editkit.probe.references import with_references
from editkit.probe.scenes import pictures
from editkit.probe.side.chair import Lists, check, pictured, with_objects
from editkit.recipe import Recipe, parse_recipe


def recipe(chair: Any, folder: Path | None = None, **evaluate: Any) -> Recipe:
    whole = {
        "version": 1,
        "name": "a",
        "model": "demo/scenes",
        "probe": {"images": {"demo": "guns"}},
        "edits": [{"suppress": "gun"}],
        "evaluate": {"chair": chair, **evaluate},
    }
    return parse_recipe(json.dumps(whole), folder=folder)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    document = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 7, "name": "dog"}, {"id": 8, "name": "cat"}, {"id": 9, "name": "dining table"}],
        "annotations": [{"image_id": 1, "category_id": 7}],
    }
    (tmp_path / "instances.json").write_text(json.dumps(document))
    captions = {
        "images": document["images"],
        "annotations": [{"image_id": 1, "caption": "a puppy at a desk"}],
    }
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    return tmp_path


def cases(*roles: Any) -> list[Case]:
    shown = pictures("scenes", len(roles), 3)
    return [Case(question("what?", [one]), role, "", ()) for one, role in zip(shown, roles, strict=True)]


def test_control_and_held_out_pictures_of_the_demo_world_count() -> None:
    found = with_objects(recipe({}), cases("control", "held_out", "edit", "preserve"))
    counted = [case.known.vocabulary for case in found]
    assert [one is not None for one in counted] == [True, True, False, False]
    assert counted[0] is counted[1]
    assert counted[0] is not None
    assert set(counted[0].kinds) == set(world.KINDS)


def test_where_nobody_asks_nothing_is_looked_up() -> None:
    assert with_objects(recipe(None), cases("control")) == cases("control")
    found = with_objects(recipe(None, metrics=["efficacy", "locality", "chair_i"]), cases("control"))
    assert found[0].known.vocabulary is not None


def test_pictures_of_its_own_are_counted_alone(demo: Editable) -> None:
    made = recipe({"images": {"demo": "scenes", "count": 3}})
    assert with_objects(made, cases("control")) == cases("control")
    found = pictured(made, demo, (), (), nobody)
    assert [one.suite for one in found] == ["chair"] * 3
    assert {one.question.prompt for one in found} == {"Describe the image in few words."}
    assert not {one.question.id for one in found} & {case.question.id for case in cases(*["control"] * 3)}


def test_what_people_wrote_of_photographs_counts(photographs: Path, llava: Editable) -> None:
    made = recipe({"images": {"coco": "instances.json", "images": "."}}, photographs)
    check(made)
    (one,) = pictured(made, llava, (), (), nobody)
    assert one.known.references == ("a puppy at a desk",)
    case = Case(one.question, "side", "", (), suite=one.suite, known=one.known)
    counted = named(case, "A puppy on a table by a cat and a bus.")
    assert counted is not None
    assert (counted.mentions, counted.wrong, counted.shown) == (3, 1, 2)


def test_captions_of_probe_pictures_count_too(photographs: Path) -> None:
    made = parse_recipe(
        "{version: 1, name: a, model: demo/scenes, edits: [{suppress: dog}], evaluate: {chair: {}},"
        " probe: {images: {coco: instances.json, images: .}}}",
        folder=photographs,
    )
    picture = Picture("a.png", photographs / "a.png", frozenset({"dog"}), kinds=frozenset({"dog", "cat"}))
    found = with_references(made, [Case(question("what?", [picture]), "control", "", ())], nobody)
    assert found[0].known.references == ("a puppy at a desk",)


def test_a_list_of_ones_own_is_cut_to_what_was_looked_for(photographs: Path) -> None:
    (photographs / "s.txt").write_text("dog, hound\ncat\nbus\ndining table\n")
    lists = Lists.of(recipe({"synonyms": "s.txt"}, photographs))
    few = lists.of_kinds(frozenset({"dog", "cat"}))
    assert few.mentions("a hound, a puppy and a bus") == ("dog",)
    with pytest.raises(InputError, match="the list of objects does not name unicorn"):
        lists.of_kinds(frozenset({"unicorn"}))


def test_kinds_that_are_not_cocos_name_themselves() -> None:
    lists = Lists.of(recipe({}))
    assert lists.of_kinds(frozenset({"unicorn", "dog"})).mentions("unicorns and a puppy") == ("unicorn",)
    assert lists.of_kinds(frozenset({"dog"})).mentions("unicorns and a puppy") == ("dog",)


def test_of_pictures_with_unknown_objects_nothing_is_told() -> None:
    lists = Lists.of(recipe({}))
    assert lists.of_question(question("what?", [Picture("a.png", b"", frozenset({"dog"}))])) is None
    assert lists.of_question(question("what?")) is None


@pytest.mark.parametrize(
    ("chair", "said"),
    [
        ({"synonyms": "no.txt"}, r"no\.txt can't be read"),
        ({"images": {"coco": "no.json", "images": "."}}, r"chair\.images\.coco: no file .*no\.json"),
        ({"images": {"coco": "instances.json", "images": "no"}}, r"chair\.images\.images: no folder .*no$"),
    ],
)
def test_what_is_not_there_is_told_before_the_long_work(photographs: Path, chair: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check(recipe(chair, photographs))


def test_a_model_without_eyes_is_told(llama: Editable) -> None:
    with pytest.raises(InputError, match=r"takes no pictures: leave evaluate\.chair out"):
        pictured(recipe({"images": {"demo": "scenes"}}), llama, (), (), nobody)


@pytest.mark.real
def test_what_people_say_of_photographs_is_there(real_data: Callable[[str], Path], llava: Editable) -> None:
    root = real_data("coco")
    made = recipe({"images": {"coco": str(root / "instances.json"), "images": str(root / "images")}})
    found = pictured(made, llava, (), (), nobody)
    assert len(found) == 36
    alone = with_each_other = 0
    for one in found:
        case = Case(one.question, "side", "", (), suite=one.suite, known=one.known)
        assert len(one.known.references) == 5
        for caption in one.known.references:
            counted = named(case, caption)
            assert counted is not None
            with_each_other += counted.wrong
            alone += counted.mentions
    # All captions of a picture belong to what it shows, so none of them invents anything.
    assert with_each_other == 0
    assert alone > 200
