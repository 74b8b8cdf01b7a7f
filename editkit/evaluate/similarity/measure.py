"""What a similarity is: pairs of texts in, one figure for each pair out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from editkit.errors import InputError

Pair = tuple[str, str]


class Similarity(Protocol):
    """How alike each candidate is to its reference; `name` is its line in `SIMILARITIES`."""

    @property
    def name(self) -> str: ...

    @property
    def reads(self) -> str:
        """The model that reads, and which layer of it."""
        ...

    def __call__(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        """One figure for each pair.

        Raises:
            InputError: not as many candidates as references.
        """
        ...


@dataclass(frozen=True)
class Unavailable:
    """A similarity whose model nobody named, and what to do about it."""

    name: str
    reason: str


class Remembered:
    """Scores every pair once: neurons decode to the same few tokens over and over.

    Pairs with an empty text score 0 and are never asked about.
    """

    def __init__(
        self, name: str, score: Callable[[list[str], list[str]], list[float]], reads: str = ""
    ) -> None:
        self.name = name
        self.reads = reads
        self._score = score
        self._known: dict[Pair, float] = {}

    def __call__(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        if len(candidates) != len(references):
            counted = f"{len(candidates)} candidates and {len(references)} references"
            raise InputError(f"{self.name}: {counted}: give one reference for each candidate")
        pairs = [(one.strip(), other.strip()) for one, other in zip(candidates, references, strict=True)]
        new = [pair for pair in dict.fromkeys(pairs) if all(pair) and pair not in self._known]
        if new:
            scored = self._score([candidate for candidate, _ in new], [reference for _, reference in new])
            self._known.update(zip(new, scored, strict=True))
        return [self._known[pair] if all(pair) else 0.0 for pair in pairs]
