"""Written forms of words, in texts and in names."""

from __future__ import annotations

import pytest

from editkit.privacy.spelling import folded, number, spelled


def found(text: str, *words: str, numbered: bool = False) -> list[int | None]:
    pattern = spelled(words, numbered=numbered)
    assert pattern is not None
    return [number(one) for one in pattern.finditer(folded(text))]


@pytest.mark.parametrize(
    "text", ["gun", "GUNS.", "a-gun", "my_guns", "gun's", "\uff47\uff55\uff4e", "g\u00adun"]
)
def test_forms_of_a_word(text: str) -> None:
    assert found(text, "gun") == [0]


@pytest.mark.parametrize("text", ["begun", "gunman", "gun1", "4guns"])
def test_other_words(text: str) -> None:
    assert found(text, "gun") == []


@pytest.mark.parametrize("text", ["gun1.png", "4guns", "gun_07"])
def test_digits_part_words_in_names(text: str) -> None:
    assert found(text, "gun", numbered=True) == [0]


@pytest.mark.parametrize("name", ["water_pistol3", "Water-Pistols", "water pistol"])
def test_signs_stand_for_spaces_in_names(name: str) -> None:
    assert found(name, "gun", "water pistol", numbered=True) == [1]


def test_digests_are_no_word() -> None:
    assert found("0000bed00000 bed", "bed", numbered=True) == [None, 0]


def test_nothing_is_found_of_no_words() -> None:
    assert spelled(()) is None
