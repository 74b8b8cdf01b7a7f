"""A list of object kinds with their synonyms, in the format that the published CHAIR list has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Final

from editkit.errors import InputError
from editkit.objects.stem import stem

Words = tuple[str, ...]

# A word, or what parts words; a hyphen does not, nor an apostrophe within a word.
SIGN: Final = re.compile(r"(?P<word>[^\W_]+)|['\u2019]s?(?!\w)|[^\s\-'\u2019]")
# Directly before another kind they only describe it: a baby elephant is no person, an orange cat no fruit.
DESCRIBING: Final = frozenset((stem(word),) for word in ("baby", "adult", "passenger", "orange"))
# What compounds name, whatever the list says of their words; None: nothing that is on a list.
COMPOUNDS: Final[Mapping[str, str | None]] = {
    "home plate": None,
    "train track": None,
    "toilet seat": "toilet",
    "bow tie": "tie",
}
# A word that names nothing in a text that names a kind: the seat of a toilet is no chair.
PARTS: Final[Mapping[Words, str]] = {("seat",): "toilet"}
NOTHING: Final = "-"


@dataclass(frozen=True)
class Vocabulary:
    """Kinds of object, and the phrases that name them.

    Attributes:
        kinds: in the order of the list.
        phrases: the words of a phrase as stems -> the kind it names, or None where it names none although its
            words do (`train track`).
    """

    kinds: tuple[str, ...]
    phrases: Mapping[Words, str | None] = field(repr=False, hash=False)

    def mentions(self, text: str) -> tuple[str, ...]:
        """The kinds that a text names, one for each mention, in its order.

        Of phrases that begin at one word the longest counts, and no word counts twice. Case and number do not
        matter; a phrase does not reach over punctuation, hyphens excepted.
        """
        words = _stems(text)
        found: dict[int, Words] = {}
        at = 0
        while at < len(words):
            phrase = self._longest(words, at)
            if phrase:
                found[at] = phrase
            at += max(1, len(phrase))
        kinds = {at: self.phrases[phrase] for at, phrase in found.items()}
        said = set(kinds.values())
        return tuple(
            kind
            for at, phrase in found.items()
            if (kind := kinds[at]) is not None
            and not (phrase in DESCRIBING and kinds.get(at + 1, kind) != kind)
            and not (phrase in PARTS and PARTS[phrase] in said)
        )

    def named(self, text: str) -> frozenset[str]:
        """The kinds that a text names at least once."""
        return frozenset(self.mentions(text))

    def kind_of(self, phrase: str) -> str | None:
        """The kind that one word or phrase names by itself."""
        return self.phrases.get(_stems(phrase))

    def only(self, kinds: Iterable[str]) -> Vocabulary:
        """The list cut to some kinds; phrases of the others still keep their words from naming one of these.

        Raises:
            InputError: a kind that is not on the list.
        """
        kept = tuple(dict.fromkeys(kinds))
        strange = [kind for kind in kept if kind not in self.kinds]
        if strange:
            raise InputError(
                f"the list of objects does not name {', '.join(strange[:3])}"
                f"{f' and {len(strange) - 3} more' if len(strange) > 3 else ''}: give each a line of its own"
            )
        phrases = {words: kind if kind in kept else None for words, kind in self.phrases.items()}
        return Vocabulary(kept, phrases)

    def _longest(self, words: Words, at: int) -> Words:
        lengths = range(min(self._reach, len(words) - at), 0, -1)
        return next((words[at : at + n] for n in lengths if words[at : at + n] in self.phrases), ())

    @cached_property
    def _reach(self) -> int:
        return max(map(len, self.phrases), default=0)


def listed(kinds: Iterable[str]) -> Vocabulary:
    """A list without synonyms."""
    return _made([[kind] for kind in kinds], "list of objects")


def read(path: Path) -> Vocabulary:
    """A list from a file: on each line a kind and its synonyms, with commas between.

    This is the format of the published `synonyms.txt`. Of a word on two lines, the later one counts, as
    there. A line that begins with `-,` lists phrases that name none of the kinds, although their words do.

    Raises:
        InputError: the file can't be read, or names no kind, or one twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}): give a list of objects") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is no UTF-8 text: a line of a list of objects is `kind, synonym`"
        ) from error
    return _parsed(text, str(path))


@cache
def coco() -> Vocabulary:
    """The list that ships: COCO's 80 categories with synonyms of our own."""
    return _parsed((files("editkit.objects") / "coco.txt").read_text(encoding="utf-8"), "coco.txt")


def _parsed(text: str, source: str) -> Vocabulary:
    lines = [[part.strip() for part in line.split(",") if part.strip()] for line in text.splitlines()]
    return _made([line for line in lines if line], source)


def _made(lines: Sequence[Sequence[str]], source: str) -> Vocabulary:
    found: dict[Words, str | None] = {}
    kinds: dict[str, None] = {}
    for line in lines:
        kind = None if line[0] == NOTHING else line[0].lower()
        for phrase in line[1:] if kind is None else line:
            words = _stems(phrase)
            if not any(words):
                raise InputError(f"{source}: an entry of the line {line[0]!r} has no word in it")
            found[words] = kind
        if kind in kinds:
            raise InputError(f"{source}: {kind} begins two lines: put its synonyms on one")
        if kind is not None:
            kinds[kind] = None
    if not kinds:
        raise InputError(f"{source} names no kind of object: write one a line, as `kind, synonym, synonym`")
    for compound, means in COMPOUNDS.items():
        if means is None or means in kinds:
            found.setdefault(_stems(compound), means)
    return Vocabulary(tuple(kinds), found)


def _stems(text: str) -> Words:
    """The stems of the words; what parts them is an empty one."""
    return tuple(stem(found["word"]) if found["word"] else "" for found in SIGN.finditer(text.lower()))
