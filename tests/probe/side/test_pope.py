"""POPE's questions become inputs of their own, out of published files, instances files and the demo world."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from editkit.errors import InputError
from editkit.events import Event, Noted, nobody
from editkit.model.editable import Editable
from editkit.probe.side.pope import check, polled
from editkit.recipe import Recipe, parse_recipe

KINDS = ("dog", "cat", "bus", "cup")
SHOWN = {"a.png": ("dog", "cat"), "b.png": ("dog",), "c.png": ("cup", "dog"), "d.png": ()}


def recipe(pope: Any, folder: Path | None = None) -> Recipe:
    whole = {
        "version": 1,
        "name": "a",
        "model": "demo/scenes",
        "probe": {"images": {"demo": "guns"}},
        "edits": [{"suppress": "gun"}],
        "evaluate": {"pope": pope},
    }
    return parse_recipe(json.dumps(whole), folder=folder)


@pytest.fixture
def instances(tmp_path: Path) -> Path:
    """A tiny COCO file of four pictures; one of them, `b.png`, is not there."""
    (tmp_path / "pictures").mkdir()
    for name in SHOWN.keys() - {"b.png"}:
        Image.new("RGB", (16, 16), "red" if name == "a.png" else "blue").save(tmp_path / "pictures" / name)
    document = {
        "images": [{"id": at, "file_name": name} for at, name in enumerate(SHOWN)],
        "categories": [{"id": at, "name": kind} for at, kind in enumerate(KINDS)],
        "annotations": [
            {"image_id": at, "category_id": KINDS.index(kind)}
            for at, kinds in enumerate(SHOWN.values())
            for kind in kinds
        ],
    }
    (tmp_path / "instances.json").write_text(json.dumps(document))
    return tmp_path


def lines(folder: Path, kind: str, *asked: tuple[str, str, str]) -> str:
    name = f"coco_pope_{kind}.json"
    entries = [{"question_id": 1, "image": i, "text": t, "label": label} for i, t, label in asked]
    (folder / name).write_text("\n".join(map(json.dumps, entries)))
    return name


def test_an_instances_file_gives_questions_of_each_kind(instances: Path, llava: Editable) -> None:
    made = recipe({"coco": "instances.json", "images": "pictures", "each": 1}, instances)
    check(made)
    found = polled(made, llava, (), (), nobody)
    counted = Counter((one.suite, one.known.answer) for one in found)
    # Of the three pictures that are there, one shows nothing.
    assert counted == {
        (f"pope_{k}", yes): 2 for k in ("random", "popular", "adversarial") for yes in (True, False)
    }
    for one in found:
        (picture,) = one.question.images
        kind = next(kind for kind in KINDS if f" {kind} " in one.question.prompt)
        assert one.known.answer == (kind in SHOWN[picture.name])
        assert one.question.chat is llava.has_chat_template


def test_frequencies_are_those_of_the_whole_file(instances: Path, llava: Editable) -> None:
    made = recipe({"coco": "instances.json", "images": "pictures", "kinds": ["popular"]}, instances)
    found = polled(made, llava, (), (), nobody)
    asked = {
        one.question.prompt
        for one in found
        if one.question.images[0].name == "c.png" and not one.known.answer
    }
    assert asked == {"Is there a cat in the image?", "Is there a bus in the image?"}


def test_published_questions_are_asked_as_they_are(instances: Path, llava: Editable) -> None:
    name = lines(instances, "random", ("a.png", "Is there a dog?", "yes"), ("c.png", "Any bus?", "no"))
    found = polled(recipe({"files": [name], "images": "pictures"}, instances), llava, (), (), nobody)
    assert [(one.suite, one.question.prompt, one.known.answer) for one in found] == [
        ("pope_random", "Is there a dog?", True),
        ("pope_random", "Any bus?", False),
    ]


def test_missing_pictures_are_counted_and_named(instances: Path, llava: Editable) -> None:
    names = ["a.png", "x.png", "../pictures/c.png", str(instances / "pictures" / "c.png"), "z.png", "x.png"]
    name = lines(instances, "popular", *((picture, "A dog?", "yes") for picture in names))
    told: list[Event] = []
    found = polled(recipe({"files": [name], "images": "pictures"}, instances), llava, (), (), told.append)
    assert [one.question.images[0].name for one in found] == ["a.png"]
    (note,) = told
    assert isinstance(note, Noted)
    assert note.warning
    assert note.text.startswith("evaluate.pope: 4 of 5 pictures are not in ")
    assert "(x.png, ../pictures/c.png, " in note.text
    assert note.text.endswith(", ...); they are left out")


def test_pictures_named_as_in_2014_are_found_under_their_number(instances: Path, llava: Editable) -> None:
    name = lines(instances, "random", ("COCO_val2014_a.png", "A dog?", "yes"))
    (one,) = polled(recipe({"files": [name], "images": "pictures"}, instances), llava, (), (), nobody)
    assert one.question.images[0].source == instances / "pictures" / "a.png"


def test_without_any_picture_there_is_nothing_to_ask(instances: Path, llava: Editable) -> None:
    name = lines(instances, "random", ("x.png", "A dog?", "yes"), ("y.png", "A dog?", "yes"))
    with pytest.raises(
        InputError, match=r"none of the 2 pictures that are asked about is in .*, such as x\.png"
    ):
        polled(recipe({"files": [name], "images": "pictures"}, instances), llava, (), (), nobody)


def test_a_count_bounds_the_pictures(instances: Path, llava: Editable) -> None:
    asked = [(picture, text, "yes") for picture in ("c.png", "a.png") for text in ("A dog?", "A cup?")]
    name = lines(instances, "random", *asked)
    made = recipe({"files": [name], "images": "pictures", "count": 1}, instances)
    assert {one.question.images[0].name for one in polled(made, llava, (), (), nobody)} == {"c.png"}


def test_a_damaged_picture_is_told(instances: Path, llava: Editable) -> None:
    (instances / "pictures" / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"a\.png: not a readable picture"):
        polled(recipe({"coco": "instances.json", "images": "pictures"}, instances), llava, (), (), nobody)


@pytest.mark.parametrize(
    ("pope", "said"),
    [
        ({"files": ["random.json"], "images": "pictures"}, r"random\.json can't be read"),
        ({"coco": "no.json", "images": "pictures"}, r"evaluate\.pope\.coco: no file .*no\.json"),
        ({"coco": "instances.json", "images": "no"}, r"evaluate\.pope\.images: no folder .*no$"),
    ],
)
def test_what_is_not_there_is_told_before_the_long_work(instances: Path, pope: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check(recipe(pope, instances))


def test_pictures_that_show_nothing_can_not_be_asked_about(instances: Path, llava: Editable) -> None:
    for name in ("a.png", "c.png"):
        (instances / "pictures" / name).unlink()
    with pytest.raises(InputError, match="shows anything that could be asked about"):
        polled(recipe({"coco": "instances.json", "images": "pictures"}, instances), llava, (), (), nobody)


def test_the_demo_world_asks_about_partners_that_are_absent(demo: Editable) -> None:
    found = polled(recipe({"demo": "pairs", "count": 12, "kinds": ["adversarial"]}), demo, (), (), nobody)
    assert {one.suite for one in found} == {"pope_adversarial"}
    for one in found:
        kinds = one.question.images[0].contains or frozenset()
        if not one.known.answer:
            assert not any(f" {kind} " in one.question.prompt for kind in kinds)
    lone = [one for one in found if one.question.contains() and "boat" in one.question.contains() - {"fish"}]
    assert any("fish" in one.question.prompt and one.known.answer is False for one in lone)


def test_equal_recipes_ask_the_same(demo: Editable) -> None:
    made = recipe({"demo": "scenes", "count": 5})
    assert polled(made, demo, (), (), nobody) == polled(made, demo, (), (), nobody)


def test_a_model_without_eyes_is_told(llama: Editable) -> None:
    with pytest.raises(InputError, match=r"takes no pictures: leave evaluate\.pope out"):
        polled(recipe({"demo": "scenes"}), llama, (), (), nobody)


@pytest.mark.real
def test_photographs_are_asked_about(real_data: Callable[[str], Path], llava: Editable) -> None:
    root = real_data("coco")
    pope = {"coco": str(root / "instances.json"), "images": str(root / "images"), "count": 36}
    made = recipe(pope)
    check(made)
    found = polled(made, llava, (), (), nobody)
    counted = Counter((one.suite, one.known.answer) for one in found)
    assert len(counted) == 6
    assert len(set(counted.values())) == 1
    assert min(counted.values()) > 36
    # Nothing is in more pictures than people, so whatever shows none is asked about them.
    popular = [one for one in found if one.suite == "pope_popular"]
    shown = {one.question.group: one.question.contains() or frozenset() for one in popular}
    asked = {
        one.question.group for one in popular if one.question.prompt == "Is there a person in the image?"
    }
    assert {group for group, kinds in shown.items() if "person" not in kinds} <= asked


@pytest.mark.real
def test_published_files_are_asked_of_what_is_there(
    real_data: Callable[[str], Path], llava: Editable
) -> None:
    files = [str(real_data(f"text/coco_pope_{kind}.head300.json")) for kind in ("random", "adversarial")]
    made = recipe({"files": files, "images": str(real_data("coco") / "images")})
    check(made)
    with pytest.raises(InputError, match="none of the 50 pictures that are asked about"):
        polled(made, llava, (), (), nobody)
