from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import InputError
from editkit.evaluate.text import TEXT_SCORES, bleu, bleu_signature, rouge_1, rouge_2, rouge_l

WORDS = st.lists(st.sampled_from(["a", "gray", "knife", "fork", "cup", "and", "red"]), min_size=2, max_size=9)
TEXTS = WORDS.map(" ".join)


@pytest.mark.parametrize("name", TEXT_SCORES)
@given(before=TEXTS, after=TEXTS)
def test_the_same_text_keeps_all_and_no_text_more(name: str, before: str, after: str) -> None:
    same, other = TEXT_SCORES[name]([before, before], [before, after])
    assert same == pytest.approx(1.0)
    assert 0.0 <= other <= 1.0 + 1e-9


@pytest.mark.parametrize("name", TEXT_SCORES)
def test_an_empty_text_keeps_nothing(name: str) -> None:
    assert TEXT_SCORES[name](["a fork", "", " "], ["", "a fork", ""]) == [0.0, 0.0, 0.0]
    assert TEXT_SCORES[name]([], []) == []
    with pytest.raises(InputError, match="1 texts before and 0 after"):
        TEXT_SCORES[name](["a"], [])


def test_bleu_by_hand() -> None:
    """Three words of four, two pairs of three, one triple of two, no four (smoothed to half of one)."""
    (found,) = bleu(["a b c d"], ["a b c e"])
    assert found == pytest.approx((3 / 4 * 2 / 3 * 1 / 2 * 1 / 2) ** 0.25)
    assert bleu(["a fork", "fork"], ["a fork", "fork"]) == pytest.approx([1.0, 1.0]), "short ones too"
    assert bleu_signature().startswith("nrefs:1|case:mixed|eff:yes|tok:13a|smooth:exp|version:")


def test_rouge_by_hand() -> None:
    before, after = ["a knife and a fork"], ["a fork and forks"]
    assert rouge_1(before, after) == pytest.approx([2 * (3 / 4) * (3 / 5) / (3 / 4 + 3 / 5)])
    assert rouge_2(before, after) == pytest.approx([2 * (1 / 3) * (1 / 4) / (1 / 3 + 1 / 4)])
    assert rouge_l(before, after) == pytest.approx([2 * (3 / 4) * (3 / 5) / (3 / 4 + 3 / 5)])
    assert rouge_1(["forks"], ["fork"]) == [1.0], "words are stemmed"
    assert rouge_2(["fork"], ["fork"]) == [0.0], "one word has no pairs"
