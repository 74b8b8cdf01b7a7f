"""The recipe in one model's tokens and inputs."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from editkit.errors import InputError
from editkit.objects import Vocabulary
from editkit.picture import upright_rgb
from editkit.region import Region

if TYPE_CHECKING:
    from PIL.Image import Image


def collapsed(text: str) -> str:
    """NFC, white space collapsed: how two answers are compared."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def matcher(words: Iterable[str]) -> re.Pattern[str]:
    """Finds any of the words as a whole word, whatever its case; longest first."""
    longest = sorted({collapsed(word) for word in words}, key=lambda word: (-len(word), word))
    joined = "|".join(r"\s+".join(map(re.escape, word.split())) for word in longest)
    return re.compile(rf"(?<!\w)(?:{joined})(?!\w)" if joined else r"(?!)", re.IGNORECASE)


Role = Literal["edit", "held_out", "preserve", "control", "side"]
Kind = Literal["suppress", "map", "rewrite"]


@dataclass(frozen=True)
class Picture:
    """One picture: a name people recognise, its encoded bytes (or the file that holds them), and its truth.

    `contains` names the kinds of object it truly shows, None where nobody knows; `regions` says where in the
    upright picture some of them are, for who asks; `captions` what is truly to be said about it. `kinds` are
    those that were looked for, where all of them that it shows are known; None where some may be missing.
    """

    name: str
    source: Path | bytes
    contains: frozenset[str] | None = None
    regions: Mapping[str, Callable[[], Region]] = field(default_factory=dict, compare=False, repr=False)
    captions: tuple[str, ...] = field(default=(), compare=False)
    kinds: frozenset[str] | None = field(default=None, compare=False, repr=False)

    def encoded(self) -> bytes:
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()

    def open(self) -> Image:
        """The picture upright, in RGB with 8 bits a channel: see `upright_rgb`.

        Raises:
            InputError: the file can't be read, or is no picture that a model can look at.
        """
        try:
            encoded = self.encoded()
        except OSError as error:
            raise InputError(f"{self.name}: can't be read ({error.strerror})") from error
        return upright_rgb(self.name, encoded)


@dataclass(frozen=True)
class Question:
    """One input before anybody asked the model: a prompt, its pictures, and whether it is a chat turn.

    `id` digests the pictures' bytes, the prompt and whether it is a chat turn; `group` digests what inputs
    may share (the pictures; the text a prompt was cut from; else the prompt): inputs of one group fall on one
    side, solved on or scored.
    """

    id: str
    group: str
    prompt: str
    images: tuple[Picture, ...] = ()
    chat: bool = False

    def contains(self) -> frozenset[str] | None:
        """The kinds its pictures truly show; None where nobody knows."""
        known = [picture.contains for picture in self.images if picture.contains is not None]
        return frozenset().union(*known) if known else None


@dataclass(frozen=True)
class Wanted:
    """The counterfactual answer: what the model should say instead, and nothing else changed.

    `taught` are positions in `tokens` that are taught as they stand, whatever the unedited model thought
    there (a rewrite's target, an article that changes with its noun).
    """

    text: str
    tokens: tuple[int, ...]
    taught: tuple[int, ...] = ()


@dataclass(frozen=True)
class Painted:
    """A picture of which a region was painted over; None where only the two pictures are known."""

    picture: Picture
    region: Region | None


@dataclass(frozen=True)
class Twin:
    """A case's picture without what one edit speaks of.

    Attributes:
        edit: the edit whose source was painted away; `without` is what is left.
        nulls: the same done to random regions of equal area: what comes of painting alone.
    """

    edit: int
    without: Painted
    nulls: tuple[Painted, ...] = ()


@dataclass(frozen=True)
class Known:
    """What somebody knows of an input.

    Attributes:
        objects: the kinds of object it truly shows, of the kinds that were looked for; None where nobody
            knows.
        answer: the right answer to a yes/no question; None where it is none.
        references: what people wrote about it.
        vocabulary: the kinds that were looked for in what it shows, with their synonyms; None where nobody
            looked for all of some kinds.
    """

    objects: frozenset[str] | None = None
    answer: bool | None = None
    references: tuple[str, ...] = ()
    vocabulary: Vocabulary | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Case:
    """A question in its one role, and what the unedited model says to it.

    Attributes:
        edits: the edits whose source it shows (whose prompt it is, for a rewrite).
        near: a preserve or control case that truly shows the source and must still say it.
        probe: what it is there for: a probe input, a paraphrase or a neighbour of a rewrite.
        said: the greedy answer of the unedited model (y0), and its tokens without the end token.
        wanted: what it should say instead; edit and held-out cases have one.
        twins: its picture without the sources of some edits, where a localizer asked for that.
        suite: which side effect it is there for, with the role `side`; such a case is only ever scored.
        known: what its answer can be held against.
        nats: of a text that is read rather than asked about, how surprised the unedited model is by each of
            its tokens; `said` is then the text. None of all others.
    """

    question: Question
    role: Role
    said: str
    said_tokens: tuple[int, ...]
    edits: tuple[int, ...] = ()
    near: bool = False
    probe: Literal["input", "paraphrase", "neighbor"] = "input"
    wanted: Wanted | None = None
    twins: tuple[Twin, ...] = ()
    suite: str | None = None
    known: Known = Known()
    nats: tuple[float, ...] | None = None

    @property
    def objects(self) -> frozenset[str] | None:
        """The kinds of object it truly shows; None where nobody knows."""
        return self.known.objects if self.known.objects is not None else self.question.contains()

    @property
    def sort(self) -> str:
        """What cases are counted by: the role, near ones and each suite apart."""
        if self.suite is not None:
            return f"{self.role}/{self.suite}"
        return f"{self.role}_near" if self.near else self.role


@dataclass(frozen=True)
class Form:
    """One way to write a word, the ways the tokenizer splits it, and what takes its place.

    `spaced` are the tokens with a space before the word, `bare` those without one; `instead` is the matching
    form of the target (same case and number), None where the next best word is wanted.
    """

    text: str
    spaced: tuple[int, ...]
    bare: tuple[int, ...]
    instead: str | None = None


@dataclass(frozen=True)
class PlannedEdit:
    """One edit in the model's tokens.

    Attributes:
        label: a few words for people; privacy masks it where it must.
        sources: the words to lose; `target` what to say instead (None: the next best).
        forms: the written forms of the sources through the tokenizer.
        prompt: the statement to go on with, for a rewrite.
    """

    number: int
    kind: Kind
    label: str
    sources: tuple[str, ...]
    target: str | None
    forms: tuple[Form, ...]
    when: Literal["everywhere", "absent"] = "everywhere"
    prompt: str | None = None

    @cached_property
    def source_pattern(self) -> re.Pattern[str]:
        return matcher(form.text for form in self.forms)

    @cached_property
    def target_pattern(self) -> re.Pattern[str]:
        return matcher(form.instead for form in self.forms if form.instead is not None)

    def says_source(self, text: str) -> bool:
        return self.source_pattern.search(collapsed(text)) is not None

    def says_target(self, text: str) -> bool:
        return self.target_pattern.search(collapsed(text)) is not None

    def instead_of(self, written: str) -> str | None:
        """The matching target form of a source as it was written."""
        word = collapsed(written)
        exact = [form for form in self.forms if form.text == word]
        alike = exact or [form for form in self.forms if form.text.lower() == word.lower()]
        return alike[0].instead if alike else None


@dataclass(frozen=True)
class EditPlan:
    """All edits and all cases of a recipe for one model."""

    edits: tuple[PlannedEdit, ...]
    cases: tuple[Case, ...]
    asked: int

    def of(self, role: Role, edit: int | None = None) -> tuple[Case, ...]:
        """Cases of a role; with `edit`, those that belong to that edit."""
        return tuple(
            case for case in self.cases if case.role == role and (edit is None or edit in case.edits)
        )

    def counts(self) -> Mapping[str, int]:
        """How many cases of each role, near ones and each suite of side effects apart."""
        return dict(Counter(case.sort for case in self.cases))
