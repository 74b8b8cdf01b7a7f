"""Looks through every file that is to go out for words that must not be published."""

from __future__ import annotations

import filecmp
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from editkit.errors import OutputError, printable
from editkit.events import Tell, nobody, stage
from editkit.export.reading import texts
from editkit.patch.manifest import digest_of
from editkit.privacy.spelling import folded, spelled
from editkit.probe.words import written

LONGEST_PHRASE: Final = 3  # words, where only their hashes are known
MOST_KEPT: Final = 500_000
# Letters of scripts without spaces are words of their own here, so that a phrase of them can be found.
WORD: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u3040-\u9fff]|[^\\W_\u0e00-\u0eff\u1000-\u109f\u3040-\u9fff]+"
)
NEAR: Final = re.compile(r"[^\S\n]*\n?[^\S\n]*|[-'\u2019./&]")
OPENING: Final = ("[", "<", "{", ".")  # of `[redacted]`, `.NET`
CLOSING: Final = ("]", ">", "}", "+", "#")  # and of `C#`, `C++`
# Files whose words are editkit's own for the most part: see `usual`.
OWN: Final = ("README.md", "provenance.json", "editkit.json", "adapter_config.json")


@dataclass(frozen=True)
class Found:
    """A word where it must not be.

    Attributes:
        file: its path in the folder, without words that must not be published.
        place: `line 3`, `the header` or `the name of the file`.
        which: `word 2` of those given, or its hash: never the word.
    """

    file: str
    place: str
    which: str

    def __str__(self) -> str:
        return printable(f"{self.file}: {self.place}: {self.which}")


class Search:
    """Finds words given, and words of which only HMACs are known, in texts.

    Args:
        hashes: first 16 hex digits of each word's HMAC under `key`.
    """

    def __init__(self, words: Sequence[str], hashes: Sequence[str], key: bytes) -> None:
        self.pattern = spelled(tuple(words))
        self.first = {folded(form.split()[0]).lower() for word in words for form in written(word)}
        self.hashes = frozenset(hashes) if key else frozenset()
        block = key.ljust(sha256().block_size, b"\0")
        self.inner, self.outer = (sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))
        self.known: dict[str, str] = {}  # phrase -> its hash, of those that are ours
        self.tried: set[str] = set()

    def __call__(self, text: str) -> Iterator[tuple[str, int]]:
        """`(which, lines before it)` of every word of the text, each once."""
        text = folded(text)
        yield from self._spelled(text)
        if self.hashes:
            yield from self._hashed(text)

    def masked(self, text: str) -> str:
        """A short text, such as a file's name, without the words."""
        text = folded(text)
        for which, _ in self(text):
            phrases = [phrase for phrase in _phrases(text) if self.known.get(phrase) == which]
            for phrase in phrases:
                text = text.replace(phrase, f"[{which}]")
        return text if self.pattern is None else self.pattern.sub(lambda at: f"[word {at.lastindex}]", text)

    def _spelled(self, text: str) -> Iterator[tuple[str, int]]:
        seen = set()
        for found in self._matches(text):
            if (which := found.lastindex) not in seen:
                seen.add(which)
                yield f"word {which}", text.count("\n", 0, found.start())

    def _matches(self, text: str) -> Iterator[re.Match[str]]:
        """As `pattern.finditer`; letters are looked for first: much faster, and most texts have none."""
        lower = text.lower()
        if self.pattern is None:
            return
        if len(lower) != len(text):  # a few letters become two
            yield from self.pattern.finditer(text)
            return
        for first in self.first:
            at = lower.find(first)
            while at >= 0:
                if found := self.pattern.match(text, at):
                    yield found
                at = lower.find(first, at + 1)

    def _hashed(self, text: str) -> Iterator[tuple[str, int]]:
        seen = set()
        for phrase, at in _phrases(text).items():
            if phrase not in self.tried:
                self.tried.add(phrase)
                for form in _forms(phrase):
                    # HMAC from the two states a key leads to: a third of the time, and there are millions
                    made, outer = self.inner.copy(), self.outer.copy()
                    made.update(form.encode("utf-8", "surrogatepass"))
                    outer.update(made.digest())
                    if (digits := outer.hexdigest()[:16]) in self.hashes:
                        self.known[phrase] = f"hmac-{digits}"
            which = self.known.get(phrase)
            if which is not None and which not in seen:
                seen.add(which)
                yield which, text.count("\n", 0, at)
        if len(self.tried) > MOST_KEPT:
            self.tried.clear()


def scan(
    folder: Path,
    *,
    words: Sequence[str] = (),
    hashes: Sequence[str] = (),
    key: bytes = b"",
    base: Path | None = None,
    known: frozenset[str] = frozenset(),
    usual: str = "",
    tell: Tell = nobody,
) -> tuple[Found, ...]:
    """Every place where a word stands in a folder's files or in their names.

    Whole words, in any case, in singular and plural; escaped ones too. Files that the base has byte for byte
    are exempt. Of safetensors files the header is looked at: tensors are noise.

    Args:
        words: as they are; `hashes`: 16 hex digits of words' HMACs under `key`.
        base: folder of the base model; `known`: SHA-256 of files it is known to have, where it is not here.
        usual: text that editkit's own files have whatever the edit: words in it give nothing away there.

    Raises:
        OutputError: a file can't be read.
    """
    search = Search(words, hashes, key)
    expected = {which for which, _ in search(usual)}
    found: dict[Found, None] = {}
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with stage(tell, "look for words", len(paths)) as advance:
        for path in paths:
            name = path.relative_to(folder).as_posix()
            own = expected if name in OWN or name.endswith((".safetensors", ".index.json")) else set()
            shown = search.masked(name) if {which for which, _ in search(name)} - expected else name
            for which, _ in search(name):
                if which not in expected:
                    found[Found(shown, "the name of the file", which)] = None
            try:
                if not _of_base(path, name, base, known):
                    for which, place in _inside(path, search):
                        if which not in own:
                            found[Found(shown, place, which)] = None
            except OSError as error:
                raise OutputError(f"{path}: can't be looked through ({error.strerror})") from error
            advance()
    return tuple(sorted(found, key=lambda one: (one.file, one.which)))


def _inside(path: Path, search: Search) -> Iterator[tuple[str, str]]:
    seen = set()
    for text, before in texts(path):
        for which, lines in search(text):
            if which not in seen:
                seen.add(which)
                header = path.suffix == ".safetensors"
                yield which, "the header" if header else f"line {before + lines + 1}"


def _of_base(path: Path, name: str, base: Path | None, known: frozenset[str]) -> bool:
    if base is not None and (base / name).is_file() and filecmp.cmp(base / name, path, shallow=False):
        return True
    return bool(known) and path.suffix != ".safetensors" and digest_of(path) in known


def _phrases(text: str) -> dict[str, int]:
    """Every run of up to LONGEST_PHRASE words, spaces as one, and where it is first."""
    phrases: dict[str, int] = {}
    near: list[tuple[int, int]] = []  # the words before, as far as they belong to one phrase
    for word in WORD.finditer(text):
        start, end = word.span()
        if near and not NEAR.fullmatch(text, near[-1][1], start):
            near.clear()
        near.append((start, end))
        del near[:-LONGEST_PHRASE]
        for first, _ in near:
            phrase = text[first:end]
            phrases.setdefault(" ".join(phrase.split()) if first < start else phrase, first)
        if text[end : end + 1] in CLOSING or text[start - 1 : start] in OPENING:
            for phrase in (text[start - 1 : end + 1], text[start : end + 1], text[start : end + 2]):
                phrases.setdefault(phrase, start)
    return phrases


def _forms(phrase: str) -> set[str]:
    """How a recipe may have written what a text has: singular, in lower case, capitalised, in capitals."""
    lower = phrase.lower()
    if " " in phrase and phrase == lower and phrase[-1] != "s":  # most of a text
        return {phrase, phrase.title()}
    stems = (lower, *_singular(lower))
    forms = {phrase, *_singular(phrase), *stems, *(form.title() for form in stems)}
    return forms if " " in phrase else {*forms, *(form.upper() for form in stems)}


def _singular(word: str) -> tuple[str, ...]:
    lower = word[-3:].lower()
    if len(word) < 4 or not lower.endswith("s"):
        return ()
    if lower == "ies":
        return (word[:-1], word[:-3] + ("Y" if word.isupper() else "y"))
    return (word[:-1], word[:-2]) if lower.endswith("es") else (word[:-1],)
