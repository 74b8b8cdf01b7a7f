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
from editkit.locate.places import At, Reduce, at_answers, at_pictures
from editkit.model.editable import Editable
from editkit.model.feed import batches, feed
from editkit.model.forward import call_inputs
from editkit.model.hooks import recording
from editkit.neuron import MatrixKey
from editkit.plan import Case, EditPlan, Painted, Question, Twin
from editkit.probe.positions import source_positions


@dataclass(frozen=True)
class Pair:
    """A case with the twin that one edit asks for.

    Attributes:
        edit: the edit's place in the plan; `places` those of its source's tokens in what the case says.
    """

    case: Case
    twin: Twin
    edit: int
    places: tuple[int, ...]


def pairs(editable: Editable, plan: EditPlan) -> list[Pair]:
    """Every twin of every edit case.

    Raises:
        InputError: an edit has none.
    """
    found = []
    for place, edit in enumerate(plan.edits):
        own = [
            Pair(case, twin, place, tuple(source_positions(editable.tokenizer, case, edit)) or (0,))
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
    at: At,
    reduce: Reduce,
    batch_size: int,
    advance: Callable[[int], Any],
) -> Differences:
    """Mean over pairs of what neurons emit before the picture minus what they emit before its twin.

    Args:
        at: over the picture's tokens, reduced; or where the source is said, both times after the same words.
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
        answers = [pair.places for pair in some] if at == "answer" else None
        before = emitted(editable, [pair.case.question for pair in some], said, matrices, reduce, answers)
        for number, sums in enumerate([observed, *nulls]):
            painted = [pair.twin.without if number == 0 else _null(pair, number - 1) for pair in some]
            there = [row for row, one in enumerate(painted) if one is not None]
            if not there:
                continue
            twins = [seeing(some[row].case, one) for row, one in enumerate(painted) if one is not None]
            own = None if answers is None else [answers[row] for row in there]
            after = emitted(editable, twins, [said[row] for row in there], matrices, reduce, own)
            for key in matrices:
                sums.add(key, table[:, there], before[key][there] - after[key])
            sums.count(table[:, there].sum(1))
        advance(len(some))
    return Differences(observed.means(), tuple(sums.means() for sums in nulls))


def _null(pair: Pair, number: int) -> Painted | None:
    return pair.twin.nulls[number] if number < len(pair.twin.nulls) else None


def seeing(case: Case, painted: Painted) -> Question:
    """A case's question, with another picture in the place of its first."""
    question = case.question
    return replace(question, images=(painted.picture, *question.images[1:]))


def emitted(
    editable: Editable,
    questions: Sequence[Question],
    said: Sequence[Sequence[int]],
    matrices: Sequence[MatrixKey],
    reduce: Reduce,
    answers: Sequence[Sequence[int]] | None,
) -> dict[MatrixKey, Tensor]:
    """What neurons emit over the picture's tokens, reduced, float32 `[n, d_mlp]`.

    Args:
        answers: places in what is said, to look there instead, mean over them. Without them, and where the
            layers see no picture token, what counts is the position before the answer.
    """
    fed = feed(editable, questions, said)
    shown = at_pictures(editable, fed) if answers is None else None
    places = shown or at_answers(fed, answers or [(0,)] * len(questions))
    how: Reduce = reduce if shown is not None else "mean"
    found = {
        key: torch.zeros(len(questions), editable.w_out(*key).shape[0], device=editable.w_out(*key).device)
        for key in matrices  # an expert that nothing is sent to emits nothing, and is not heard of
    }

    def keep(key: MatrixKey, activations: Tensor) -> None:
        found[key] = places.reduced(activations.float(), how)

    with torch.no_grad(), recording(editable, keep, matrices, places.spots):
        editable.model(**call_inputs(editable, fed))
    return found
