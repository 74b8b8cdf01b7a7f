"""Which objects a text names, by the list that ships and by others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.demo.world import KINDS
from editkit.errors import InputError
from editkit.objects import coco, listed
from editkit.objects.vocabulary import read
from tests.objects.test_stem import PLURALS


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("A dog on a couch.", ("dog", "couch")),
        ("Two dogs, three DOGS and a puppy", ("dog", "dog", "dog")),
        ("a hot dog on a plate", ("hot dog",)),
        ("the dog is hot. dog!", ("dog", "dog")),
        ("it is hot, dogs pant", ("dog",)),
        ("a teddy bear beside a bear", ("teddy bear", "bear")),
        ("a baby elephant walks by a baby", ("elephant", "person")),
        ("an adult zebra and adults", ("zebra", "person")),
        ("passenger planes; passengers", ("airplane", "person")),
        ("a man's tie and the women's hats", ("person", "tie", "person")),
        ("people sit at a dining-table", ("person", "dining table")),
        ("tables", ("dining table",)),
        ("the train tracks near home plate", ()),
        ("a train on the tracks", ("train",)),
        ("the toilet seat is up", ("toilet",)),
        ("a bow tie", ("tie",)),
        ("an orange cat beside an orange", ("cat", "orange")),
        ("oranges, apples and orange juice", ("orange", "apple")),
        ("a traffic light, a stop light and a light", ("traffic light", "traffic light")),
        ("a wine glass; wine, glass", ("wine glass",)),
        ("a carpet, a scarf and catering", ()),
        ("", ()),
        ("a baby\u2019s toothbrush", ("person", "toothbrush")),
        ("a tennis racquet and a remote control", ("tennis racket", "remote")),
    ],
)
def test_what_a_text_names(text: str, named: tuple[str, ...]) -> None:
    assert coco().mentions(text) == named
    assert coco().named(text) == set(named)


@given(st.lists(st.sampled_from(coco().kinds), max_size=6), st.booleans())
def test_named_kinds_are_found(kinds: list[str], many: bool) -> None:
    text = ", ".join(PLURALS[kind] if many else kind for kind in kinds)
    assert coco().mentions(text) == tuple(kinds)
    assert coco().mentions(text.upper()) == tuple(kinds)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert coco().named(text) <= set(coco().kinds)


def test_the_list_that_ships_names_each_word_once() -> None:
    path = Path(coco.__wrapped__.__code__.co_filename).parent / "coco.txt"
    lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    counted = Counter(phrase.strip() for line in lines for phrase in line if phrase.strip() != "-")
    assert [phrase for phrase, count in counted.items() if count > 1] == []
    assert len(coco().kinds) == 80
    for line in lines[:-1]:
        assert {coco().kind_of(phrase) for phrase in line} == {line[0]}


def test_the_published_format_is_read(tmp_path: Path) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_text("\ufeffperson, girl, boy , baby\r\nDog,puppy\nbed, bunk bed\nhot dog\n\n", "utf-8")
    found = read(file)
    assert found.kinds == ("person", "dog", "bed", "hot dog")
    said = "The girls and puppies eat hot dogs on a bunk bed; baby dog, train track"
    assert found.mentions(said) == ("person", "dog", "hot dog", "bed", "dog")


def test_the_seat_of_a_toilet_is_no_chair(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("chair, seat\ntoilet\n")
    found = read(tmp_path / "s.txt")
    assert found.mentions("the seat of a toilet, a chair") == ("toilet", "chair")
    assert found.mentions("a toilet seat") == ("toilet",)
    assert found.mentions("two seats") == ("chair",)


def test_of_a_word_on_two_lines_the_later_counts(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("cup, glass\nwine glass, glass\n")
    assert read(tmp_path / "s.txt").mentions("a glass") == ("wine glass",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "names no kind of object: write one a line"),
        (b"-, train track\n", "names no kind of object"),
        (b"dog, puppy\ncat\ndog\n", "dog begins two lines: put its synonyms on one"),
        (b"dog, ?\n", "an entry of the line 'dog' has no word in it"),
        (b"\xff\xfe", "is no UTF-8 text"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "s.txt").write_bytes(content)
    with pytest.raises(InputError, match=said):
        read(tmp_path / "s.txt")


def test_a_missing_list_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"s\.txt can't be read \(No such file"):
        read(tmp_path / "s.txt")


def test_a_list_can_be_cut_to_what_is_annotated() -> None:
    few = coco().only(["dog", "person"])
    assert few.mentions("a man with a dog, a hot dog and a cat") == ("person", "dog")
    assert few.mentions("a baby elephant and a baby") == ("person",)
    with pytest.raises(InputError, match="does not name unicorn, a, b and 2 more: give each a line"):
        coco().only(["unicorn", "a", "b", "c", "d"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_demo_world_is_a_list_without_synonyms(kind: str) -> None:
    assert listed(KINDS).mentions(f"a red {kind} and {kind}") == (kind, kind)


def test_possessives_belong_to_a_phrase_that_has_them() -> None:
    assert coco().mentions("the catcher's mitt, a catcher and a mitt") == (
        "baseball glove",
        "person",
        "baseball glove",
    )
