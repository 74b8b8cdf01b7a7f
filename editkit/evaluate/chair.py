"""CHAIR: which objects a caption names that its picture does not show, and which it leaves out.

A mention is one naming of one kind; naming a kind twice is two mentions, as in the published code. What a
picture truly shows is what is annotated in it, and what people named who described it. Not counted are cases
of which no list of kinds is known (`Known.vocabulary`), and those on which the edit is solved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from editkit.evaluate.metric import Figures, Metric, Observation
from editkit.plan import Case, PlannedEdit, collapsed


@dataclass(frozen=True)
class Named:
    """The objects of one caption, counted.

    Attributes:
        mentions: of kinds on the list; `wrong` are those of kinds that are not in the picture.
        shown: kinds in the picture; `recalled` are those that are named at least once.
        words: how long the caption is, everything between white space being a word.
    """

    mentions: int
    wrong: int
    shown: int
    recalled: int
    words: int


def named(case: Case, said: str) -> Named | None:
    """What a caption names, right or wrong; None where nobody knows what is right."""
    vocabulary, objects = case.known.vocabulary, case.objects
    if vocabulary is None or objects is None or case.role not in ("control", "held_out", "side"):
        return None
    shown = objects.union(*map(vocabulary.named, case.known.references)) & set(vocabulary.kinds)
    mentions = vocabulary.mentions(said)
    return Named(
        mentions=len(mentions),
        wrong=sum(kind not in shown for kind in mentions),
        shown=len(shown),
        recalled=len(shown.intersection(mentions)),
        words=len(collapsed(said).split()),
    )


def part(case: Case) -> str:
    """Held-out cases apart: there the edit is meant to change what is named."""
    return "held_out" if case.role == "held_out" else ""


def ratio(sums: Sequence[float]) -> float:
    """Hits over all, both summed over cases."""
    hits, whole = sums
    return float(hits) / float(whole) if whole else float("nan")


def _of(figures: Callable[[Named], Figures]) -> Callable[[Case, Observation, PlannedEdit | None], Figures]:
    def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Figures:
        found = named(case, seen.text)
        return () if found is None else figures(found)

    return values


CHAIR_S: Final = Metric(
    "chair_s",
    _of(lambda found: (float(found.wrong > 0),)),
    per_edit=False,
    higher_is_better=False,
    parts=part,
    group="objects",
    row="no worse",
)
CHAIR_I: Final = Metric(
    "chair_i",
    _of(lambda found: ((found.wrong, found.mentions),)),
    per_edit=False,
    higher_is_better=False,
    parts=part,
    pool=ratio,
    group="objects",
)
OBJECT_RECALL: Final = Metric(
    "object_recall",
    _of(lambda found: ((found.recalled, found.shown),)),
    per_edit=False,
    parts=part,
    pool=ratio,
    group="objects",
)
CAPTION_LENGTH: Final = Metric(
    "caption_length",
    _of(lambda found: (float(found.words),)),
    per_edit=False,
    share=False,
    unit="words",
    parts=part,
    group="objects",
)
