"""Wording: how much of what was said is said in the same words, and how much of what people wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from editkit.evaluate.metric import Metric, Observation
from editkit.evaluate.text import TEXT_SCORES, TextScore
from editkit.plan import Case, PlannedEdit

Values = Callable[[Case, Observation, PlannedEdit | None], Sequence[float]]
SCORED: Final = ("held_out", "control")


def kept(score: TextScore) -> Values:
    """The answer against what the unedited model said; control cases."""

    def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
        return score([case.said], [seen.text]) if case.role == "control" else ()

    return values


def against_references(score: TextScore) -> Values:
    """The answer against the reference it is most like; control and held-out cases that have any."""

    def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
        references = case.known.references
        if case.role not in SCORED or not references:
            return ()
        return (max(score(references, [seen.text] * len(references))),)

    return values


def read(name: str) -> Values:
    """What a model that reads found; it is asked before, for all cases at once: see `likeness`."""

    def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
        return (seen.alike[name],) if name in seen.alike else ()

    return values


def apart(case: Case) -> str:
    """Held-out cases have changed on purpose: they are scored apart."""
    return "held_out" if case.role == "held_out" else ""


def _kept(name: str, values: Values) -> Metric:
    return Metric(name, values, per_edit=False, share=False, group="wording")


def _reference(name: str, values: Values) -> Metric:
    name = f"reference_{name}"
    return Metric(name, values, per_edit=False, share=False, parts=apart, group="wording")


BLEU: Final = _kept("bleu", kept(TEXT_SCORES["bleu"]))
ROUGE_1: Final = _kept("rouge_1", kept(TEXT_SCORES["rouge_1"]))
ROUGE_2: Final = _kept("rouge_2", kept(TEXT_SCORES["rouge_2"]))
ROUGE_L: Final = _kept("rouge_l", kept(TEXT_SCORES["rouge_l"]))
BERTSCORE: Final = _kept("bertscore", read("bertscore"))
REFERENCE_BLEU: Final = _reference("bleu", against_references(TEXT_SCORES["bleu"]))
REFERENCE_ROUGE_1: Final = _reference("rouge_1", against_references(TEXT_SCORES["rouge_1"]))
REFERENCE_ROUGE_2: Final = _reference("rouge_2", against_references(TEXT_SCORES["rouge_2"]))
REFERENCE_ROUGE_L: Final = _reference("rouge_l", against_references(TEXT_SCORES["rouge_l"]))
REFERENCE_BERTSCORE: Final = _reference("bertscore", read("reference_bertscore"))
