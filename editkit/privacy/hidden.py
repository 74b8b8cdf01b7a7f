"""Words that must not be spelled out, and texts with them masked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from editkit.patch.words import Privacy, mask
from editkit.privacy.spelling import folded, number, spelled
from editkit.recipe import Recipe


@dataclass(frozen=True)
class Hidden:
    """What must not be read.

    Attributes:
        how: what stands there instead.
        words: as a recipe has them; empty where none was given.
        hashes: what patches say of them, 16 hex digits each.
        key: this user's, empty where there is none.
    """

    how: Privacy
    words: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    key: bytes = b""

    @property
    def blind(self) -> bool:
        """Whether there is something to hide, and nothing to know it by."""
        return self.how != "plain" and not self.words and not (self.hashes and self.key)

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        return spelled(self.words)

    @cached_property
    def names(self) -> re.Pattern[str] | None:
        """As `pattern`, for names of files, where digits part words and signs stand for spaces."""
        return spelled(self.words, numbered=True)

    def masked(self, text: str) -> str:
        """A text with every form of every word masked."""
        return self._without(text, self.pattern)

    def masked_name(self, text: str) -> str:
        """The same of a text with names of files in it."""
        return self._without(text, self.names)

    def in_name(self, text: str) -> bool:
        """Whether a name, or a text with names in it, holds a word."""
        found = () if self.names is None else self.names.finditer(folded(text))
        return any(number(one) is not None for one in found)

    def _without(self, text: str, pattern: re.Pattern[str] | None) -> str:
        if pattern is None or self.how == "plain":
            return text
        shown = [mask(word, self.how, self.key) for word in self.words]

        def instead(found: re.Match[str]) -> str:
            which = number(found)
            return found[0] if which is None else shown[which]

        return pattern.sub(instead, folded(text))


def words_of(recipe: Recipe) -> tuple[str, ...]:
    """What is lost and what is said instead."""
    return tuple(dict.fromkeys(word for edit in recipe.edits for word in (*edit.sources, *edit.targets)))
