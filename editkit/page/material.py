"""All that a page is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from editkit.neuron import Neuron
from editkit.plan import Picture
from editkit.report import Report, Score


@dataclass(frozen=True)
class Written:
    """One neuron of an edit, and the tokens it writes most, best first."""

    edit: int
    neuron: Neuron
    score: float
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class CaseSet:
    """The cases of one role or suite; equal cases, equal digest."""

    name: str
    role: str
    count: int
    digest: str


@dataclass(frozen=True)
class Material:
    """What is known of a run when it is over.

    Attributes:
        name: the recipe's; `what` says what was done with it.
        labels: number of an edit -> a few words for people.
        pictures: by their names, as rows have them.
        origin: where it came from: (what, which), in the order of reading.
        changed: how many neurons were changed, where that is known; `neurons` the first of each edit.
        figures: file name -> PNG; `curves` what was measured over steps.
        differences: scores beside those of another model, where two were compared; `against` names it.
        load, undo: commands and code, ready to be copied; None where there is nothing of the kind.
    """

    name: str
    what: str
    report: Report
    labels: Mapping[int, str] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    origin: Sequence[tuple[str, str]] = ()
    sets: Sequence[CaseSet] = ()
    changed: int | None = None
    neurons: Sequence[Written] = ()
    figures: Mapping[str, bytes] = field(default_factory=dict)
    curves: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    differences: Sequence[Score] = ()
    against: str | None = None
    load: str | None = None
    undo: str | None = None
    run_id: str | None = None
