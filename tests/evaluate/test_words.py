"""Words that came and went: counts and tests by hand, and laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate.words import false_discovery, sign_test, word_changes
from editkit.report import WordChange

TEXTS = st.lists(st.sampled_from(["a gun", "a cup", "A cup and a cup.", "", "guns"]), max_size=12)
CHANCES = st.lists(st.floats(0.0, 1.0), max_size=12)


def test_by_hand() -> None:
    before = ["a red cup", "a cup.", "a hat", "a hat and a hat"]
    after = ["a red mug", "a mug.", "a hat", "a hat"]
    control = ["a red cup", "a cup", "Cup", "a hat"]
    found = {change.word: change for change in word_changes(before, after, control)}
    assert set(found) == {"cup", "mug", "and", "a", "hat"}
    # cup: lost in two answers, gained in none: p = 2 * (1/2)^2
    assert (found["cup"].before, found["cup"].after, found["cup"].control) == (2, 0, 3)
    assert (found["cup"].more, found["cup"].fewer, found["cup"].p) == (0, 2, 0.5)
    assert (found["mug"].before, found["mug"].after, found["mug"].more) == (0, 2, 2)
    assert (found["hat"].before, found["hat"].after, found["hat"].fewer, found["hat"].p) == (3, 2, 1, 1.0)
    assert (found["a"].before, found["a"].after) == (5, 4)


def test_the_surest_comes_first() -> None:
    before = ["a cup"] * 8 + ["a hat"]
    after = ["a mug"] * 8 + ["a cap"]
    found = word_changes(before, after)
    assert [change.word for change in found] == ["cup", "mug", "cap", "hat"]
    assert found[0] == WordChange("cup", 8, 0, None, 0, 8, 2 / 2**8, pytest.approx(2 / 2**8 * 4 / 2))
    assert found[-1].q == 1.0


def test_case_and_apostrophes() -> None:
    assert word_changes(["A Gun"], ["a gun"]) == ()
    assert [one.word for one in word_changes(["don't"], ["do"])] == ["do", "don't"]


@given(texts=TEXTS)
def test_what_stayed_makes_no_table(texts: list[str]) -> None:
    assert word_changes(texts, texts, texts) == ()


@given(before=TEXTS, data=st.data())
def test_turned_around_gained_is_lost(before: list[str], data: st.DataObject) -> None:
    after = data.draw(st.permutations(before))
    there = {one.word: one for one in word_changes(before, after)}
    back = {one.word: one for one in word_changes(after, before)}
    assert there.keys() == back.keys()
    for word, one in there.items():
        assert (one.more, one.fewer, one.p, one.q) == (
            back[word].fewer,
            back[word].more,
            back[word].p,
            back[word].q,
        )
        assert one.more + one.fewer > 0


@pytest.mark.parametrize(
    ("more", "fewer", "p"),
    [(0, 1, 1.0), (1, 1, 1.0), (0, 5, 2 / 32), (1, 9, 2 * 11 / 1024), (10, 0, 2 / 1024), (3, 4, 1.0)],
)
def test_the_sign_test(more: int, fewer: int, p: float) -> None:
    assert sign_test(more, fewer) == pytest.approx(p)


def test_the_sign_test_is_scipys() -> None:
    from scipy.stats import binomtest

    for more, fewer in ((2, 11), (40, 60), (600, 700), (0, 2000)):
        assert sign_test(more, fewer) == pytest.approx(binomtest(more, more + fewer).pvalue, rel=1e-9)


def test_false_discovery_by_hand() -> None:
    assert false_discovery([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert false_discovery([]) == []


@given(chances=CHANCES)
def test_false_discovery_is_scipys(chances: list[float]) -> None:
    from scipy.stats import false_discovery_control

    if chances:
        assert false_discovery(chances) == pytest.approx(false_discovery_control(chances).tolist())
