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
from typing import ClassVar


class EditkitError(Exception):
    """The root: its text is a sentence for the user, never a traceback."""

    exit_code: ClassVar[int] = 1


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
        super().__init__("\n".join(str(problem) for problem in problems))


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
