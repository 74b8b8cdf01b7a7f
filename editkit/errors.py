"""Everything that can go wrong on purpose.

EditkitError            one clear sentence: what, where, what to do
├── UsageError          the command line or the call is off                        exit 2
│   └── RecipeError     the recipe is off: every problem at once, each with its place
├── ModelError          a checkpoint that can't be opened, fed or edited           exit 1
├── InputError          a picture, prompt, text or word that can't be used
├── SolveError          a change that can't be found
├── PatchError          a patch file that can't be read, trusted or applied
├── OutputError         a place that can't be written
└── TrackError          an MLflow store that can't be used
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

LONGEST: Final = 2_000


def printable(text: str) -> str:
    """Text that can't play tricks on a terminal: names in files and of files may hold control characters."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


class EditkitError(Exception):
    """The root: its text is a sentence for the user, never a traceback; what it quotes can be printed."""

    exit_code: ClassVar[int] = 1

    def __init__(self, sentence: str = "") -> None:
        shown = "\n".join(map(printable, sentence.split("\n")))
        super().__init__(shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} ...")


class UsageError(EditkitError):
    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a recipe, and where: `path` is dotted, `line` counts from 1."""

    path: str
    message: str
    line: int | None = None
    source: str | None = None

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.source, self.line) if part is not None)
        return ": ".join(part for part in (where, self.path, self.message) if part)


class RecipeError(UsageError):
    """All problems of a recipe at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        Exception.__init__(self, "\n".join(printable(str(problem)) for problem in problems))


class ModelError(EditkitError):
    pass


class InputError(EditkitError):
    pass


class SolveError(EditkitError):
    pass


class PatchError(EditkitError):
    pass


class OutputError(EditkitError):
    pass


class TrackError(EditkitError):
    pass
