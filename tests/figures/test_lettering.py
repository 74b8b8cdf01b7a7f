"""Whatever a token is, a figure can show it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from editkit.figures.canvas import figure
from editkit.figures.lettering import lines, plain, token


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a gun", "a gun"),
        ("$x^{$", r"\$x^{\$"),
        ("\n", r"\n"),
        ("\u4e2d", r"\u4e2d"),
        ("caf\u00e9", "caf\u00e9"),
        ("\\frac{", "\\frac{"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_the_font_lacks_is_written_as_its_code(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_tokens_lose_the_space_in_front_and_nothing_else() -> None:
    assert token(" gun") == "gun"
    assert token("  ") == "\N{OPEN BOX}\N{OPEN BOX}"
    assert token("a" * 20) == "a" * 13 + "\N{HORIZONTAL ELLIPSIS}"


def test_long_texts_are_cut_where_people_see_it() -> None:
    assert lines("one two three", 3, most=2) == "one\ntwo \N{HORIZONTAL ELLIPSIS}"
    assert lines("one two", 20) == "one two"


@given(some.text(max_size=30))
def test_any_text_can_be_drawn_as_it_stands(text: str) -> None:
    """A formula, or a letter the font lacks, would be an error here."""
    drawing = figure(1.0, 1.0)
    for shown in (plain(text), token(text), lines(text, 10)):
        drawing.text(0, 0, shown)
    drawing.draw_without_rendering()
