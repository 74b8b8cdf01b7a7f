"""Which words became more or less frequent in what is said where nothing was to change."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from editkit.plan import collapsed
from editkit.report import WordChange

WORD: Final = re.compile(r"\w+(?:['\u2019-]\w+)*")


def word_changes(
    before: Sequence[str], after: Sequence[str], control: Sequence[str] | None = None
) -> tuple[WordChange, ...]:
    """Every word that some answer says more or less often than before, the surest first.

    Words are runs of letters and digits, whatever their case. The exact sign test asks whether more answers
    gained a word than lost it (McNemar's test where no answer says it twice).

    Args:
        before: the answers of the unedited model; `after` and `control` those to the same cases.
    """
    told = [_counted(text) for text in before]
    now = [_counted(text) for text in after]
    rival = None if control is None else sum((_counted(text) for text in control), Counter[str]())
    more: Counter[str] = Counter()
    fewer: Counter[str] = Counter()
    for old, new in zip(told, now, strict=True):
        more.update((new - old).keys())
        fewer.update((old - new).keys())
    first, last = (sum(counts, Counter[str]()) for counts in (told, now))
    words = sorted({*more, *fewer})
    chances = [sign_test(more[word], fewer[word]) for word in words]
    found = [
        WordChange(
            word,
            first[word],
            last[word],
            None if rival is None else rival[word],
            more[word],
            fewer[word],
            p,
            q,
        )
        for word, p, q in zip(words, chances, false_discovery(chances), strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (one.q, one.p, -abs(one.after - one.before), one.word)))


def sign_test(more: int, fewer: int) -> float:
    """Exact two-sided p of as uneven a split, or a more uneven one, by chance."""
    count = more + fewer
    tail = sum(math.comb(count, hits) for hits in range(min(more, fewer) + 1))
    return min(1.0, float(Fraction(2 * tail, 2**count)))


def false_discovery(chances: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q of each p: the share of false finds among all with a q as small."""
    order = sorted(range(len(chances)), key=lambda place: chances[place], reverse=True)
    found, least = [1.0] * len(chances), 1.0
    for above, place in enumerate(order):
        least = min(least, chances[place] * len(chances) / (len(chances) - above))
        found[place] = least
    return found


def _counted(text: str) -> Counter[str]:
    return Counter(WORD.findall(collapsed(text).casefold()))
