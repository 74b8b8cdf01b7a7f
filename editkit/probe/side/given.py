"""What a source of side effects gives: an input, its suite, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from editkit.events import Tell
from editkit.model.editable import Editable
from editkit.plan import Case, Known, PlannedEdit, Question
from editkit.recipe import Recipe


@dataclass(frozen=True)
class Given:
    """An input of a suite, before anybody asked the model.

    Attributes:
        edits: the edits it is to be judged by; None for those whose source the unedited model says to it.
        tokens: of a text that is read behind the question's prompt rather than asked about.
    """

    suite: str
    question: Question
    edits: tuple[int, ...] | None = ()
    known: Known = field(default_factory=Known)
    tokens: tuple[int, ...] | None = None


Source = Callable[[Recipe, Editable, Sequence[PlannedEdit], Sequence[Case], Tell], Sequence[Given]]
