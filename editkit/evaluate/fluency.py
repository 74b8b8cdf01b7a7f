"""Fluency of what is said where the edit bites: the entropy of its n-grams, and its repetitions."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from editkit.evaluate.metric import Metric, Observation
from editkit.plan import Case, PlannedEdit, collapsed

TOKEN: Final = re.compile(r"\w+|[^\w\s]")
REPEATED: Final = 4


def ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    """Runs of n words; a sign of punctuation is a word of its own."""
    words = TOKEN.findall(collapsed(text))
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def entropy(text: str, n: int) -> float:
    """Bits of the distribution of a text's n-grams; 0 of a text that has none."""
    found = Counter(ngrams(text, n))
    total = found.total()
    return -sum(count / total * math.log2(count / total) for count in found.values()) + 0.0


def ngram_entropy(text: str) -> float:
    """(entropy of pairs + 2 x entropy of triples) / 3, in bits: the weights of Meng et al. (2022)."""
    return (entropy(text, 2) + 2 * entropy(text, 3)) / 3


def repetition(text: str, n: int = REPEATED) -> float:
    """The share of n-grams that were there before in the same text (seq-rep-n, Welleck et al. 2020)."""
    found = ngrams(text, n)
    return 1 - len(set(found)) / len(found) if found else 0.0


def _bites(case: Case, edit: PlannedEdit | None) -> bool:
    return edit is not None and case.role in ("edit", "held_out") and edit.number in case.edits


def _entropies(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
    return (ngram_entropy(seen.text),) if _bites(case, edit) else ()


def _repetitions(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
    return (repetition(seen.text),) if _bites(case, edit) else ()


NGRAM_ENTROPY: Final = Metric("ngram_entropy", _entropies, share=False, unit="bits", group="writing")
REPETITION: Final = Metric(
    "repetition", _repetitions, share=False, higher_is_better=False, unit="share", group="writing"
)
