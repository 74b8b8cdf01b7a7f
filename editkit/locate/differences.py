"""Activations before a picture minus those before its inpainted twin, and before null twins: one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from editkit.errors import InputError
from editkit.locate.localizer import Scores
from editkit.locate.passes import Sums
from editkit.locate.places import Reduce, at_pictures
from editkit.model.editable import Editable
from editkit.model.feed import batches, feed
from editkit.model.forward import call_inputs
from editkit.model.hooks import Spots, recording
from editkit.neuron import MatrixKey
from editkit.plan import Case, EditPlan, Painted, Question, Twin


@dataclass(frozen=True)
class Pair:
    """A case with the twin that one edit asks for; `edit` is the edit's place in the plan."""

    case: Case
    twin: Twin
    edit: int


def pairs(plan: EditPlan) -> list[Pair]:
    """Every twin of every edit case.

    Raises:
        InputError: an edit has none.
    """
    found = []
    for place, edit in enumerate(plan.edits):
        own = [
            Pair(case, twin, place)
            for case in plan.of("edit", edit.number)
            for twin in case.twins
            if twin.edit == edit.number
        ]
        if not own:
            raise InputError(
                f"edits[{edit.number}]: no picture of an edit case has a twin without the source: give "
                "pictures whose objects are known (COCO instances, masks, boxes), or another locate.method"
            )
        found += own
    return found


@dataclass(frozen=True)
class Differences:
    """For each edit the mean difference of every neuron.

    Attributes:
        observed: picture minus twin; `nulls` picture minus null twin, for each drawing of random regions.
    """

    observed: tuple[Scores, ...]
    nulls: tuple[tuple[Scores, ...], ...]


def differences(
    editable: Editable,
    plan: EditPlan,
    asked: Sequence[Pair],
    layers: Sequence[int],
    reduce: Reduce,
    batch_size: int,
    advance: Callable[[int], Any],
) -> Differences:
    """Mean over pairs of what neurons emit, reduced over the picture's tokens, minus the same of the twin.

    Where the layers see no picture token, at the position before the answer.
    """
    matrices, n_edits = editable.matrices(layers), len(plan.edits)
    n_nulls = max(len(pair.twin.nulls) for pair in asked)
    observed = Sums(editable, matrices, n_edits)
    nulls = [Sums(editable, matrices, n_edits) for _ in range(n_nulls)]
    for chunk in batches([pair.case.question for pair in asked], batch_size):
        some = [asked[place] for place in chunk]
        table = torch.zeros(n_edits, len(some))
        table[[pair.edit for pair in some], list(range(len(some)))] = 1.0
        said = [pair.case.said_tokens for pair in some]
        before = emitted(editable, [pair.case.question for pair in some], said, matrices, reduce)
        for number, sums in enumerate([observed, *nulls]):
            painted = [pair.twin.without if number == 0 else _null(pair, number - 1) for pair in some]
            there = [at for at, one in enumerate(painted) if one is not None]
            if not there:
                continue
            twins = [_seeing(pair, one) for pair, one in zip(some, painted, strict=True) if one is not None]
            after = emitted(editable, twins, [said[at] for at in there], matrices, reduce)
            for key in matrices:
                sums.add(key, table[:, there], before[key][there] - after[key])
            sums.count(table[:, there].sum(1))
        advance(len(some))
    return Differences(observed.means(), tuple(sums.means() for sums in nulls))


def _null(pair: Pair, number: int) -> Painted | None:
    return pair.twin.nulls[number] if number < len(pair.twin.nulls) else None


def _seeing(pair: Pair, painted: Painted) -> Question:
    """The case's question, with another picture in the place of its first."""
    question = pair.case.question
    return replace(question, images=(painted.picture, *question.images[1:]))


def emitted(
    editable: Editable,
    questions: Sequence[Question],
    said: Sequence[Sequence[int]],
    matrices: Sequence[MatrixKey],
    reduce: Reduce,
) -> dict[MatrixKey, Tensor]:
    """What neurons emit over the picture's tokens, reduced, or before the answer, float32 `[n, d_mlp]`."""
    fed = feed(editable, questions, said)
    places = at_pictures(editable, fed)
    rows = torch.arange(len(questions))
    spots = Spots(rows, torch.full_like(rows, fed.n_prompt - 1)) if places is None else places.spots
    found = {
        key: torch.zeros(len(questions), editable.w_out(*key).shape[0], device=editable.w_out(*key).device)
        for key in matrices  # an expert that nothing is sent to emits nothing, and is not heard of
    }

    def keep(key: MatrixKey, activations: Tensor) -> None:
        values = activations.float()
        found[key] = values if places is None else places.reduced(values, reduce)

    with torch.no_grad(), recording(editable, keep, matrices, spots):
        editable.model(**call_inputs(editable, fed))
    return found
