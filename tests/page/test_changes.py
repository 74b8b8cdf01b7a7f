"""Which words went and came."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from editkit.page.changes import Piece, changes, told

TEXTS = st.text(alphabet=st.sampled_from("ab \n.é🔫"), max_size=60)


@given(before=TEXTS, after=TEXTS)
def test_the_pieces_make_both_answers(before: str, after: str) -> None:
    pieces = changes(before, after)
    assert "".join(piece.text for piece in pieces if piece.state != "new") == before
    assert "".join(piece.text for piece in pieces if piece.state != "gone") == after
    assert all(piece.text for piece in pieces)


@given(text=st.text())
def test_equal_answers_have_nothing_that_changed(text: str) -> None:
    assert {piece.state for piece in changes(text, text)} <= {"same"}
    assert told(changes(text, text)) == ""


def test_whole_words_change() -> None:
    assert changes("a gun.", "a bag.") == (
        Piece("a ", "same"),
        Piece("gun", "gone"),
        Piece("bag", "new"),
        Piece(".", "same"),
    )
    assert told(changes("1.865e+05: a", "1.728e+05: a")) == "-1.865e+05 +1.728e+05"
    assert told(changes("a red gun on grass", "a bag on grass")) == "-red gun +bag"


def test_very_long_answers_take_no_time() -> None:
    begun = time.monotonic()
    changes("a b c d " * 50_000, "d c b a " * 50_000)
    assert time.monotonic() - begun < 5
