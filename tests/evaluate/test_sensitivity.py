from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import InputError
from editkit.evaluate.sensitivity import plain, sensitivity

TOKENS = st.sampled_from([" fork", "fork", "Ġspoon", "▁gun", "##e", "knife", "\n", ""])
NEURONS = st.lists(st.lists(TOKENS, min_size=1, max_size=10), max_size=5)


class Shared:
    """The share of the word's letters that a token has, and how often it was asked."""

    name = "shared"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __call__(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        pairs = list(zip(candidates, references, strict=True))
        self.asked += pairs
        return [len(set(one) & set(other)) / max(1, len(set(other))) for one, other in pairs]


@pytest.mark.parametrize(
    ("token", "word"),
    [
        (" fork", "fork"),
        ("Ġfork", "fork"),
        ("▁▁fork", "fork"),
        ("##ork", "ork"),
        ("fork</w>", "fork"),
        ("Ċ", ""),
        ("<0x0A>", ""),
        (" a Ġ b ", "a Ġ b"),
        ("#", "#"),
    ],
)
def test_marks_of_spaces_are_no_part_of_a_word(token: str, word: str) -> None:
    assert plain(token) == word


def test_a_token_counts_with_its_nearest_word_and_a_neuron_with_its_mean() -> None:
    found = sensitivity([[" fork", "Ġfor", "##x"], ["▁cup"]], ["fork", "cup"], Shared())
    assert found == pytest.approx([(1.0 + 3 / 4 + 0.0) / 3, 1.0])
    assert sensitivity([["x", " fork"]], ["fork"], Shared(), over="max") == [1.0]


@given(NEURONS)
def test_neurons_do_not_hang_on_one_another_and_pairs_are_asked_once(neurons: list[list[str]]) -> None:
    similarity = Shared()
    found = sensitivity(neurons, ["fork", "spoon"], similarity)
    assert found == [sensitivity([tokens], ["fork", "spoon"], Shared())[0] for tokens in neurons]
    assert len(similarity.asked) == len(set(similarity.asked))
    highest = sensitivity(neurons, ["fork", "spoon"], Shared(), over="max")
    assert all(one <= other + 1e-12 for one, other in zip(found, highest, strict=True))


def test_no_neurons_have_no_figures() -> None:
    assert sensitivity([], ["fork"], Shared()) == []


def test_what_can_not_be_compared() -> None:
    with pytest.raises(InputError, match="no word to compare"):
        sensitivity([["a"]], ["", " "], Shared())
    with pytest.raises(InputError, match="neuron 1 of the list has no decoded tokens"):
        sensitivity([["a"], []], ["fork"], Shared())
