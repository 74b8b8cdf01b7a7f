"""Which words of an answer went and which came."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

# Matching takes time quadratic in the words; of longer answers the ends are compared as one piece.
MOST: Final = 400
# A number is one word, whatever signs are in it.
WORD: Final = re.compile(r"\s+|\d+(?:[.,]\d+)*(?:e[+-]?\d+)?|\w+|[^\w\s]")


@dataclass(frozen=True)
class Piece:
    """A stretch of two answers: in both, only in the old one, or only in the new one."""

    text: str
    state: Literal["same", "gone", "new"]


def changes(before: str, after: str) -> tuple[Piece, ...]:
    """Stretches in reading order: same and gone make the old answer, same and new the new one."""
    one, other = _words(before), _words(after)
    found: list[Piece] = []
    for what, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(Piece("".join(one[a:b]), "same"))
            continue
        if a < b:
            found.append(Piece("".join(one[a:b]), "gone"))
        if c < d:
            found.append(Piece("".join(other[c:d]), "new"))
    return tuple(found)


def told(pieces: Iterable[Piece]) -> str:
    """The changed words alone, as text: `-a gun +a bag`."""
    signs = {"gone": "-", "new": "+"}
    found = [(signs[piece.state], " ".join(piece.text.split())) for piece in pieces if piece.state in signs]
    return " ".join(f"{sign}{text}" for sign, text in found if text)


def _words(text: str) -> list[str]:
    """Words, white space and signs; what is beyond the most is one piece."""
    words = WORD.findall(text)
    return [*words[:MOST], "".join(words[MOST:])] if len(words) > MOST else words
