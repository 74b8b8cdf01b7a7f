"""Probes: the same asked in other words, with the source denied, and through one modality alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from editkit.evaluate.efficacy import done
from editkit.evaluate.metric import Metric, Observation
from editkit.plan import Case, PlannedEdit, collapsed

Values = Callable[[Case, Observation, PlannedEdit | None], Sequence[float]]


def silent(suite: str) -> Values:
    """1 where the answer does not say the source, whatever else it says."""

    def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
        if edit is None or case.suite != suite or edit.number not in case.edits:
            return ()
        return (float(not edit.says_source(seen.text)),)

    return values


def does(among: Callable[[Case], bool]) -> Values:
    """1 where an answer that said the source now does what was asked."""

    def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
        if edit is None or not among(case) or edit.number not in case.edits:
            return ()
        return (float(done(seen.text, edit)),)

    return values


def stays(among: Callable[[Case], bool]) -> Values:
    """1 where an answer that nothing was asked of is what it was."""

    def values(case: Case, seen: Observation, edit: PlannedEdit | None) -> Sequence[float]:
        if not among(case) or case.edits:
            return ()
        return (float(collapsed(seen.text) == collapsed(case.said)),)

    return values


def _of(suite: str) -> Callable[[Case], bool]:
    return lambda case: case.suite == suite


def _seen(role: str) -> Callable[[Case], bool]:
    return lambda case: case.role == role and bool(case.question.images) and not case.near


def _efficacy(name: str, values: Values) -> Metric:
    return Metric(f"efficacy_{name}", values, group="probes")


def _locality(name: str, values: Values) -> Metric:
    return Metric(f"locality_{name}", values, per_edit=False, group="probes")


EFFICACY_PARAPHRASE: Final = _efficacy("paraphrase", silent("paraphrase"))
EFFICACY_NEGATION: Final = _efficacy("negation", silent("negation"))
EFFICACY_IMAGE_TEXT: Final = _efficacy("image_text", does(_seen("held_out")))
EFFICACY_TEXT_ONLY: Final = _efficacy("text_only", does(_of("text_only")))
EFFICACY_IMAGE_ONLY: Final = _efficacy("image_only", does(_of("image_only")))
LOCALITY_IMAGE_TEXT: Final = _locality("image_text", stays(_seen("control")))
LOCALITY_TEXT_ONLY: Final = _locality("text_only", stays(_of("text_only")))
LOCALITY_IMAGE_ONLY: Final = _locality("image_only", stays(_of("image_only")))
