"""Semantic sensitivity (Pan et al. 2024): how near a neuron's decoded tokens are to its concept's word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from editkit.errors import InputError
from editkit.evaluate.similarity.measure import Similarity

# How tokenizers write a space, a line break, or the middle of a word into a token.
MARKERS: Final = re.compile(
    r"^(?:[\s\u0120\u2581\u010a\u0109]|##|<0x[0-9A-F]{2}>)+|(?:[\s\u0120\u2581\u010a]|</w>)+$"
)


def plain(token: str) -> str:
    """A token as a reader writes it: without spaces around it, or the marks that stand for them."""
    return MARKERS.sub("", token)


def sensitivity(
    decoded: Sequence[Sequence[str]],
    words: Sequence[str],
    similarity: Similarity,
    *,
    over: Literal["mean", "max"] = "mean",
) -> list[float]:
    """One figure for each neuron, on the similarity's scale.

    A token counts with its similarity to the nearest of the words, a neuron with the mean over its tokens (or
    the highest of them). Both are ours, and so is the mean over neurons that tables show: the paper does not
    say how it reduces them.

    Args:
        decoded: each neuron's decoded tokens, as strings; those that hold nothing but spaces score 0.
        words: the concept's word, or several that stand for it.

    Raises:
        InputError: no words, or a neuron without tokens.
    """
    if not any(word.strip() for word in words):
        raise InputError("sensitivity: no word to compare the neurons' tokens with")
    if empty := [number for number, tokens in enumerate(decoded) if not tokens]:
        raise InputError(f"sensitivity: neuron {empty[0]} of the list has no decoded tokens")
    own = [[plain(token) for token in tokens] for tokens in decoded]
    pairs = [(token, word) for token in dict.fromkeys(t for some in own for t in some) for word in words]
    scored = similarity([token for token, _ in pairs], [word for _, word in pairs])
    nearest: dict[str, float] = {}
    for (token, _), score in zip(pairs, scored, strict=True):
        nearest[token] = max(score, nearest.get(token, score))
    reduce = max if over == "max" else _mean
    return [reduce([nearest[token] for token in tokens]) for tokens in own]


def _mean(figures: Sequence[float]) -> float:
    return sum(figures) / len(figures)
