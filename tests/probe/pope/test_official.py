"""The published files are read, and what is wrong in one is told with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.errors import InputError
from editkit.probe.pope.official import read
from editkit.probe.pope.poll import SORTS, Poll, Sort
from editkit.recipe import pope_kind_of

DOG = {"question_id": 1, "image": "a.jpg", "text": "Is there a dog in the image?", "label": "yes"}
CAT = {"question_id": 2, "image": "a.jpg", "text": "Is there a cat in the image?", "label": "No"}
POLLS = [
    Poll("popular", "a.jpg", "Is there a dog in the image?", True),
    Poll("popular", "a.jpg", "Is there a cat in the image?", False),
]


@pytest.mark.parametrize(
    "text",
    [
        f"{json.dumps(DOG)}\n{json.dumps(CAT)}\n",
        f"\n{json.dumps(DOG)}\r\n\n{json.dumps(CAT)}",
        f"\ufeff{json.dumps(DOG)}\n{json.dumps(CAT)}",
        json.dumps([DOG, CAT]),
        json.dumps([DOG, CAT], indent=1),
    ],
)
def test_lines_and_lists_are_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text, encoding="utf-8")
    assert read(tmp_path / "p.json", "popular") == POLLS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"p\.json holds no question: a line is {"),
        ("[]", "holds no question"),
        ("[1", r"p\.json is no JSON list"),
        (f"{json.dumps(DOG)}\nnot so", r"p\.json, line 2 is no JSON: a line is {"),
        (f"{json.dumps(DOG)}\n\n7", "line 3 is no question: write it as {"),
        (json.dumps([DOG, {**DOG, "image": 3}]), "entry 1 has no text under 'image'"),
        (json.dumps({**DOG, "text": " "}), "line 1 has no text under 'text'"),
        (json.dumps({**DOG, "label": "maybe"}), "line 1: its label is neither yes nor no"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(InputError, match=said):
        read(tmp_path / "p.json", "random")


def test_a_file_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"p\.json can't be read \(No such file"):
        read(tmp_path / "p.json", "random")
    (tmp_path / "p.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is no UTF-8 text"):
        read(tmp_path / "p.json", "random")


@pytest.mark.real
@pytest.mark.parametrize("sort", SORTS)
def test_the_published_files_hold_half_yes_half_no(real_data: Callable[[str], Path], sort: Sort) -> None:
    file = real_data(f"text/coco_pope_{sort}.head300.json")
    assert pope_kind_of(file.name) == sort
    polls = read(file, sort)
    assert len(polls) == 300
    assert sum(poll.yes for poll in polls) == 150
    assert {poll.sort for poll in polls} == {sort}
