"""Observations with BERTScore in them: a model reads all answers of all moments at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from editkit.evaluate.metric import Observation
from editkit.evaluate.similarity.measure import Pair, Similarity
from editkit.evaluate.wording import SCORED
from editkit.plan import Case


def alike(
    bertscore: Similarity, names: Sequence[str], cases: Sequence[Case], seen: Sequence[Observation]
) -> list[Observation]:
    """The observations, each with the likenesses that are asked for.

    Args:
        names: `bertscore`: control answers to what the unedited model said; `reference_bertscore`: control
            and held-out answers to the reference they are most like.
    """
    wanted: dict[int, dict[str, list[Pair]]] = {}
    for place, (case, one) in enumerate(zip(cases, seen, strict=True)):
        pairs: dict[str, list[Pair]] = {}
        if "bertscore" in names and case.role == "control":
            pairs["bertscore"] = [(one.text, case.said)]
        if "reference_bertscore" in names and case.role in SCORED and case.known.references:
            pairs["reference_bertscore"] = [(one.text, reference) for reference in case.known.references]
        wanted[place] = pairs
    every = [pair for pairs in wanted.values() for own in pairs.values() for pair in own]
    figures = iter(bertscore([pair[0] for pair in every], [pair[1] for pair in every]))
    found = {
        place: {name: max([next(figures) for _ in own]) for name, own in pairs.items()}
        for place, pairs in wanted.items()
    }
    return [replace(one, alike={**one.alike, **found[place]}) for place, one in enumerate(seen)]
