"""Activation x gradient where a word is said, before pictures and before their null twins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from editkit.locate.attribution import attributions
from editkit.locate.differences import Differences, Pair, seeing
from editkit.locate.localizer import Scores
from editkit.locate.passes import Saying, Sums, passes, sayings
from editkit.model.editable import Editable
from editkit.plan import EditPlan


def attributed_in_answers(
    editable: Editable,
    plan: EditPlan,
    asked: Sequence[Pair],
    layers: Sequence[int],
    tokens: Literal["all", "first"],
    n_nulls: int,
    batch_size: int,
    advance: Callable[[int], Any],
) -> Differences:
    """Mean over the pairs of `o * dy/do` where the source is said; nulls are what it loses to null twins."""
    twins = {(pair.case.question.id, pair.edit): pair.twin for pair in asked}
    said = [one for one in sayings(editable, plan, tokens) if (one.case.question.id, one.edit) in twins]
    observed = _means(editable, plan, said, layers, batch_size, advance)
    nulls = []
    for number in range(n_nulls):
        painted = [
            replace(one, case=replace(one.case, question=seeing(one.case, twin.nulls[number])))
            for one in said
            for twin in [twins[one.case.question.id, one.edit]]
            if number < len(twin.nulls)
        ]
        # Of a picture with several sources each has regions of its own, and so a pass of its own.
        own = [
            replace(one, case=replace(one.case, question=replace(one.case.question, id=f"{one.edit}:{at}")))
            for at, one in enumerate(painted)
        ]
        after = _means(editable, plan, own, layers, batch_size, advance)
        nulls.append(tuple({key: a[key] - b[key] for key in a} for a, b in zip(observed, after, strict=True)))
    return Differences(observed, tuple(nulls))


def _means(
    editable: Editable,
    plan: EditPlan,
    said: Sequence[Saying],
    layers: Sequence[int],
    batch_size: int,
    advance: Callable[[int], Any],
) -> tuple[Scores, ...]:
    n_edits = len(plan.edits)
    sums = Sums(editable, editable.matrices(layers), n_edits)
    for batch in passes(editable, said, batch_size, advance):
        for turn, key, values in attributions(editable, batch, layers, batch.spots):
            sums.add(key, batch.by_edit(n_edits) * (batch.turns == turn), values)
        sums.count(batch.by_edit(n_edits).sum(1))
    return sums.means()
