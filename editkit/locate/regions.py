"""Activation x gradient over the tokens of an object, and over those of random regions of equal area."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from editkit.locate.attribution import attributions
from editkit.locate.differences import Differences, Pair
from editkit.locate.passes import Batch, Sums, passes, sayings
from editkit.locate.places import Places, Reduce, at_pictures
from editkit.model.cells import showing
from editkit.model.editable import Editable
from editkit.plan import EditPlan, Painted


def attributed(
    editable: Editable,
    plan: EditPlan,
    asked: Sequence[Pair],
    layers: Sequence[int],
    tokens: Literal["all", "first"],
    reduce: Reduce,
    n_nulls: int,
    batch_size: int,
    advance: Callable[[int], Any],
) -> Differences:
    """Mean over the pairs of `o * dy/do`, reduced over an object's tokens, and over each random region's.

    Where the layers see no picture token both are read where the source is said, and are equal.
    """
    twins = {(pair.case.question.id, pair.edit): pair.twin for pair in asked}
    said = [one for one in sayings(editable, plan, tokens) if (one.case.question.id, one.edit) in twins]
    matrices, n_edits = editable.matrices(layers), len(plan.edits)
    observed = Sums(editable, matrices, n_edits)
    nulls = [Sums(editable, matrices, n_edits) for _ in range(n_nulls)]
    for batch in passes(editable, said, batch_size, advance):
        places = at_pictures(editable, batch.fed)
        spots = batch.spots if places is None else places.spots
        for turn, key, values in attributions(editable, batch, layers, spots):
            if places is None:
                own = batch.by_edit(n_edits) * (batch.turns == turn)
                for sums in (observed, *nulls):
                    sums.add(key, own, values)
                continue
            table = batch.by_row(n_edits, turn)
            painted = _painted(batch, turn, twins)
            observed.add(key, table, places.reduced(values, reduce, _within(places, [p[0] for p in painted])))
            for number, sums in enumerate(nulls):
                regions = [p[1 + number] if 1 + number < len(p) else None for p in painted]
                there = torch.tensor([float(one is not None) for one in regions])
                sums.add(key, table * there, places.reduced(values, reduce, _within(places, regions)))
        _count(batch, twins, observed, nulls, n_edits)
    return Differences(observed.means(), tuple(sums.means() for sums in nulls))


def _painted(batch: Batch, turn: int, twins: dict[Any, Any]) -> list[list[Painted | None]]:
    """For every row the object of its edit in a turn, and its random regions."""
    found: list[list[Painted | None]] = [[None] for _ in batch.cases]
    for entry in (batch.turns == turn).nonzero().flatten().tolist():
        row, edit = int(batch.spots.rows[entry]), int(batch.owners[entry])
        twin = twins[batch.cases[row].question.id, edit]
        found[row] = [twin.without, *twin.nulls]
    return found


def _within(places: Places, painted: Sequence[Painted | None]) -> Tensor:
    """The places that show each row's region; all of them where there is none."""
    columns = [
        picture.columns if one is None or one.region is None else showing(picture, one.region)
        for picture, one in zip(places.pictures, painted, strict=True)
    ]
    return places.of_columns(columns)


def _count(batch: Batch, twins: dict[Any, Any], observed: Sums, nulls: Sequence[Sums], n_edits: int) -> None:
    seen = {(int(row), int(edit)) for row, edit in zip(batch.spots.rows, batch.owners, strict=True)}
    for row, edit in sorted(seen):
        one = torch.zeros(n_edits)
        one[edit] = 1.0
        observed.count(one)
        for number, sums in enumerate(nulls):
            if number < len(twins[batch.cases[row].question.id, edit].nulls):
                sums.count(one)
