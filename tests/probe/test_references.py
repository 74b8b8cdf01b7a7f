"""What people wrote about pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.demo import language, sets
from editkit.errors import InputError
from editkit.events import Event, Noted, nobody
from editkit.plan import Case, Known, Picture
from editkit.probe.questions import question
from editkit.probe.references import read, with_references
from editkit.probe.scenes import pictures
from editkit.recipe import Recipe, parse_recipe

COCO = {
    "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
    "annotations": [
        {"image_id": 1, "caption": "A dog. "},
        {"image_id": 1, "caption": "Two dogs."},
        {"image_id": 2, "caption": " "},
    ],
}


def recipe(folder: Path, evaluate: str, images: str = "x") -> Recipe:
    return parse_recipe(
        "{version: 1, name: a, model: x, edits: [{suppress: gun}], "
        f"probe: {{images: {images}}}, evaluate: {evaluate}}}",
        folder=folder,
    )


def cases(*shown: Picture) -> list[Case]:
    return [Case(question("Describe it.", [one]), "control", "a gun", ()) for one in shown]


ASKED = "{metrics: [efficacy, locality, reference_bleu]}"


def test_a_captions_file_and_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text(json.dumps(COCO))
    assert read(tmp_path / "coco.json") == {"a.jpg": ("A dog.", "Two dogs."), "b.jpg": ()}
    (tmp_path / "own.json").write_text('{"a.jpg": "a dog", "b.jpg": ["a cat", " "]}')
    assert read(tmp_path / "own.json") == {"a.jpg": ("a dog",), "b.jpg": ("a cat",)}


def test_captions_beside_the_instances_are_found(tmp_path: Path) -> None:
    (tmp_path / "captions_val.json").write_text(json.dumps(COCO))
    made = recipe(tmp_path, ASKED, "{coco: instances_val.json, images: .}")
    one, other = with_references(made, cases(Picture("a.jpg", b"a"), Picture("b.jpg", b"b")), nobody)
    assert one.known == Known(references=("A dog.", "Two dogs."))
    assert other.known == Known()


def test_the_demo_world_knows(tmp_path: Path) -> None:
    shown = pictures("clear", 3, 1)
    found = with_references(recipe(tmp_path, ASKED), cases(*shown), nobody)
    assert [case.known.references for case in found] == [
        (language.caption(scene),) for scene in sets.scenes("clear", 3, 1)
    ]


@pytest.mark.parametrize("evaluate", ["{}", ASKED[:-1] + ", references: null}"])
def test_nobody_asks(tmp_path: Path, evaluate: str) -> None:
    found = with_references(recipe(tmp_path, evaluate), cases(*pictures("clear", 2, 1)), nobody)
    assert all(case.known == Known() for case in found)


def test_none_are_known(tmp_path: Path) -> None:
    told: list[Event] = []
    made = with_references(recipe(tmp_path, ASKED), cases(Picture("a.jpg", b"a")), told.append)
    assert made[0].known == Known()
    assert [one.warning for one in told if isinstance(one, Noted)] == [True]


@pytest.mark.parametrize("content", [None, "[1]", "{", '{"a": 3}', '{"annotations": [{}], "images": []}'])
def test_files_that_hold_none(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "c.json").write_text(content)
    made = recipe(tmp_path, ASKED[:-1] + ", references: c.json}")
    with pytest.raises(InputError, match=r"evaluate\.references: .*c\.json"):
        with_references(made, cases(Picture("a.jpg", b"a")), nobody)


def test_of_several_pictures_nobody_wrote(tmp_path: Path, make_case: Callable[..., Case]) -> None:
    both = Case(question("Compare.", pictures("clear", 2, 1)), "control", "", ())
    assert with_references(recipe(tmp_path, ASKED), [both], nobody)[0].known == Known()
