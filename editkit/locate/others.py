"""Activations on inputs that say a word minus those on inputs that do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from editkit.errors import InputError
from editkit.locate.differences import emitted
from editkit.locate.localizer import Scores
from editkit.locate.passes import Sums
from editkit.locate.places import At, Reduce
from editkit.model.editable import Editable
from editkit.model.feed import batches
from editkit.plan import EditPlan


def against_others(
    editable: Editable,
    plan: EditPlan,
    layers: Sequence[int],
    at: At,
    reduce: Reduce,
    batch_size: int,
    advance: Callable[[int], Any],
) -> tuple[Scores, ...]:
    """For each edit the mean over its edit cases minus that over edit and preserve cases without its source.

    Raises:
        InputError: every input says the source of an edit.
    """
    matrices, n_edits = editable.matrices(layers), len(plan.edits)
    with_it, without = (Sums(editable, matrices, n_edits) for _ in range(2))
    cases = (*plan.of("edit"), *plan.of("preserve"))
    for chunk in batches([case.question for case in cases], batch_size):
        some = [cases[place] for place in chunk]
        said = [case.said_tokens for case in some]
        everywhere = [range(len(tokens) + 1) for tokens in said] if at == "answer" else None
        found = emitted(editable, [case.question for case in some], said, matrices, reduce, everywhere)
        own, other = torch.zeros(n_edits, len(some)), torch.zeros(n_edits, len(some))
        for row, case in enumerate(some):
            for place, edit in enumerate(plan.edits):
                if edit.number in case.edits:
                    own[place, row] = 1.0
                elif not edit.says_source(case.said):
                    other[place, row] = 1.0
        for sums, table in ((with_it, own), (without, other)):
            for key, values in found.items():
                sums.add(key, table, values)
            sums.count(table.sum(1))
        advance(len(some))
    for place, edit in enumerate(plan.edits):
        if not without.weight[place]:
            raise InputError(
                f"edits[{edit.number}]: every input says the source, so there are no others to compare with: "
                "give control inputs, or probe inputs without it"
            )
    return tuple(
        {key: one[key] - other[key] for key in one}
        for one, other in zip(with_it.means(), without.means(), strict=True)
    )
