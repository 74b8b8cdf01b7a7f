"""One yes/no question about one picture, and how its object was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from editkit.recipe import POPE_KINDS, PopeKind

Sort = PopeKind
SORTS: Final[tuple[Sort, ...]] = POPE_KINDS
VOWELS: Final = "aeiou"


@dataclass(frozen=True)
class Poll:
    """A question as it is asked, and its right answer; `image` is the picture's name."""

    sort: Sort
    image: str
    text: str
    yes: bool


def worded(kind: str) -> str:
    """The published wording, which is the demo world's too."""
    return f"Is there {'an' if kind[:1].lower() in VOWELS else 'a'} {kind} in the image?"
