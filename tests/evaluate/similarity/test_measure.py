from __future__ import annotations

import pytest

from editkit.errors import InputError
from editkit.evaluate.similarity import SIMILARITIES
from editkit.evaluate.similarity.measure import Remembered
from editkit.methods import load


class Lengths:
    """Scores a pair by the candidate's length, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __call__(self, candidates: list[str], references: list[str]) -> list[float]:
        self.asked += zip(candidates, references, strict=True)
        return [float(len(candidate)) for candidate in candidates]


def test_every_pair_is_scored_once() -> None:
    score = Lengths()
    similarity = Remembered("lengths", score)
    assert similarity(["aa", "b", "aa"], ["x", "y", "x"]) == [2.0, 1.0, 2.0]
    assert similarity([" aa ", "ccc"], ["x", "y"]) == [2.0, 3.0]
    assert score.asked == [("aa", "x"), ("b", "y"), ("ccc", "y")]


def test_an_empty_text_is_like_nothing_and_nobody_is_asked() -> None:
    score = Lengths()
    assert Remembered("lengths", score)(["", "a", " \n"], ["a", "", ""]) == [0.0, 0.0, 0.0]
    assert Remembered("lengths", score)([], []) == []
    assert not score.asked


def test_pairs_are_pairs() -> None:
    with pytest.raises(InputError, match="lengths: 1 candidates and 2 references: give one reference"):
        Remembered("lengths", Lengths())(["a"], ["a", "b"])


@pytest.mark.parametrize("name", SIMILARITIES)
def test_every_line_of_the_table_is_there_and_says_what_it_asks_for(name: str) -> None:
    kind = load(SIMILARITIES, name, "evaluate")
    assert kind.__name__.lower() == name
    assert kind.asks in ("encoder", "bleurt")
