"""How much of a text's wording another keeps: BLEU and ROUGE of what is said after an edit against before.

All take the texts before and after, pair by pair, and give figures in [0, 1]. An empty text keeps nothing: it
scores 0, even beside another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from editkit.errors import InputError

TextScore = Callable[[Sequence[str], Sequence[str]], list[float]]


def bleu(before: Sequence[str], after: Sequence[str]) -> list[float]:
    """Sentence BLEU by sacrebleu, with n-grams as short as short sentences need (`bleu_signature`).

    Raises:
        InputError: not as many texts after as before.
    """
    return _each(
        before, after, lambda old, new: min(1.0, float(_bleu().sentence_score(new, [old]).score) / 100)
    )


def bleu_signature() -> str:
    """What sacrebleu wants told beside its figures: its version and settings."""
    _bleu().sentence_score("a", ["a"])
    return str(_bleu().get_signature())


def rouge_1(before: Sequence[str], after: Sequence[str]) -> list[float]:
    """ROUGE-1 F1 of stemmed words by rouge-score; only letters a to z and digits count.

    Raises:
        InputError: not as many texts after as before.
    """
    return _rouge("rouge1", before, after)


def rouge_2(before: Sequence[str], after: Sequence[str]) -> list[float]:
    """ROUGE-2 F1: the same of pairs of words. A text of one word has none and scores 0.

    Raises:
        InputError: not as many texts after as before.
    """
    return _rouge("rouge2", before, after)


def rouge_l(before: Sequence[str], after: Sequence[str]) -> list[float]:
    """ROUGE-L F1: of the longest sequence of words that both have in one order, with gaps.

    Raises:
        InputError: not as many texts after as before.
    """
    return _rouge("rougeL", before, after)


TEXT_SCORES: Final[Mapping[str, TextScore]] = {
    "bleu": bleu,
    "rouge_1": rouge_1,
    "rouge_2": rouge_2,
    "rouge_l": rouge_l,
}


def _each(before: Sequence[str], after: Sequence[str], score: Callable[[str, str], float]) -> list[float]:
    if len(before) != len(after):
        raise InputError(f"{len(before)} texts before and {len(after)} after: give one after for each before")
    pairs = zip(before, after, strict=True)
    return [score(old, new) if old.strip() and new.strip() else 0.0 for old, new in pairs]


def _rouge(kind: str, before: Sequence[str], after: Sequence[str]) -> list[float]:
    return _each(before, after, lambda old, new: float(_rouge_scorer(kind).score(old, new)[kind].fmeasure))


@cache
def _bleu() -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(effective_order=True)


@cache
def _rouge_scorer(kind: str) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer([kind], use_stemmer=True)
