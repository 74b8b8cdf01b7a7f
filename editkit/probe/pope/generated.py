"""Questions out of what pictures show: as many about objects that are there as about absent ones.

As published, absent objects are chosen at random, by how many pictures show them (popular), or by how often
they stand beside an object that is there (adversarial). The present objects are the same in all three.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from editkit.probe.pope.poll import Poll, Sort, worded

EACH: Final = 3

Shown = frozenset[str]


@dataclass(frozen=True)
class Company:
    """How many pictures show a kind, and how many show it beside another."""

    kinds: tuple[str, ...]
    frequency: Mapping[str, int]
    beside: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, kinds: Iterable[str], pictures: Iterable[Shown]) -> Company:
        """Counted over pictures, of the kinds that can be asked about."""
        frequency = Counter[str]()
        beside: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
        for shown in pictures:
            known = shown & beside.keys()
            frequency.update(known)
            for kind in known:
                beside[kind].update(known - {kind})
        return cls(tuple(sorted(beside)), frequency, beside)

    def popular(self, absent: Iterable[str]) -> list[str]:
        """Most frequent first; equally frequent ones by name."""
        return sorted(absent, key=lambda kind: (-self.frequency[kind], kind))

    def companions(self, kind: str, absent: Iterable[str]) -> list[str]:
        """Those most often beside a kind first; then by frequency and name."""
        return sorted(absent, key=lambda one: (-self.beside[kind][one], -self.frequency[one], one))


def polls(
    pictures: Mapping[str, Shown], company: Company, sorts: Sequence[Sort], *, each: int = EACH, seed: int = 0
) -> list[Poll]:
    """`each` questions about objects that are there, as many about absent ones, for each picture and sort.

    Fewer where a picture does not show that many kinds, or nearly all of them; none where it shows none.
    Equal seeds give a picture the same questions, whatever other pictures there are.
    """
    found = []
    for name, shown in pictures.items():
        present = [kind for kind in company.kinds if kind in shown]
        absent = [kind for kind in company.kinds if kind not in shown]
        digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        count = min(each, len(present), len(absent))
        asked = [present[int(at)] for at in rng.permutation(len(present))[:count]]
        drawn = [absent[int(at)] for at in rng.permutation(len(absent))[:count]]
        for sort in sorts:
            for there, missing in zip(asked, _missing(sort, asked, absent, drawn, company), strict=True):
                found += [Poll(sort, name, worded(there), True), Poll(sort, name, worded(missing), False)]
    return found


def _missing(
    sort: Sort, asked: Sequence[str], absent: Sequence[str], drawn: Sequence[str], company: Company
) -> list[str]:
    if sort == "random":
        return list(drawn)
    if sort == "popular":
        return company.popular(absent)[: len(asked)]
    taken: list[str] = []
    for kind in asked:
        taken.append(company.companions(kind, [one for one in absent if one not in taken])[0])
    return taken
