"""One pass over the edit cases for all edits: batches in which every place of a source is known, and sums."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from editkit.locate.localizer import Scores
from editkit.model.editable import Editable
from editkit.model.feed import Fed, batches, feed
from editkit.model.hooks import Spots
from editkit.neuron import MatrixKey
from editkit.plan import Case, EditPlan
from editkit.probe.positions import source_positions


@dataclass(frozen=True)
class Saying:
    """Where one case says the source of one edit.

    Attributes:
        edit: the edit's place in the plan.
        places: positions of the source's tokens in what the case says; `tokens` are those tokens.
    """

    case: Case
    edit: int
    places: tuple[int, ...]
    tokens: tuple[int, ...]


def sayings(editable: Editable, plan: EditPlan, tokens: Literal["all", "first"]) -> list[Saying]:
    """Every edit case with every edit whose source it says.

    Args:
        tokens: every sub-token of the source, or its first.
    """
    found = []
    end = editable.tokenizer.eos_token_id or 0
    for place, edit in enumerate(plan.edits):
        for case in plan.of("edit", edit.number):
            own = source_positions(editable.tokenizer, case, edit)
            if own:
                own = own[:1] if tokens == "first" else own
                said = (*case.said_tokens, end)
                found.append(Saying(case, place, tuple(own), tuple(said[at] for at in own)))
    return found


@dataclass(frozen=True)
class Batch:
    """A fed batch of cases, and one entry for each sub-token of each source that a case says.

    Attributes:
        cases: the rows.
        spots: the positions whose next token is asked about, `n_entries` of them.
        tokens: those next tokens, int64 `[n_entries]`.
        owners: the edits they belong to, as places in the plan, int64 `[n_entries]`.
        turns: each row's edits are numbered from 0; which of them an entry is for, int64 `[n_entries]`.
        weights: 1 / (number of sub-tokens of that source in that case), float32 `[n_entries]`.
    """

    fed: Fed
    cases: tuple[Case, ...]
    spots: Spots
    tokens: Tensor
    owners: Tensor
    turns: Tensor
    weights: Tensor

    def by_edit(self, n_edits: int) -> Tensor:
        """The weight of every entry for every edit, float32 `[n_edits, n_entries]`."""
        table = torch.zeros(n_edits, len(self.owners))
        table[self.owners, torch.arange(len(self.owners))] = self.weights
        return table

    def by_row(self, n_edits: int, turn: int) -> Tensor:
        """1 where a row says the source of an edit in this turn, float32 `[n_edits, n]`."""
        own = self.turns == turn
        table = torch.zeros(n_edits, len(self.cases))
        table[self.owners[own], self.spots.rows[own]] = 1.0
        return table


def passes(
    editable: Editable, said: Sequence[Saying], size: int, advance: Callable[[int], Any]
) -> Iterator[Batch]:
    """The cases of some sayings, each fed once with what it says, however many sources are in it."""
    by_case: dict[str, list[Saying]] = {}
    for one in said:
        by_case.setdefault(one.case.question.id, []).append(one)
    groups = list(by_case.values())
    for chunk in batches([group[0].case.question for group in groups], size):
        some = [groups[place] for place in chunk]
        cases = tuple(group[0].case for group in some)
        fed = feed(editable, [case.question for case in cases], [case.said_tokens for case in cases])
        entries = [
            (row, fed.n_prompt - 1 + at, token, one.edit, turn, 1.0 / len(one.places))
            for row, group in enumerate(some)
            for turn, one in enumerate(group)
            for at, token in zip(one.places, one.tokens, strict=True)
        ]
        rows, columns, tokens, owners, turns, weights = (
            torch.tensor(part) for part in zip(*entries, strict=True)
        )
        yield Batch(fed, cases, Spots(rows, columns), tokens, owners, turns, weights)
        advance(len(cases))


class Sums:
    """Weighted sums over inputs for every edit and neuron: nothing in it grows with the number of inputs."""

    def __init__(self, editable: Editable, matrices: Sequence[MatrixKey], n_edits: int) -> None:
        self.total = {
            key: torch.zeros(n_edits, editable.w_out(*key).shape[0], device=editable.w_out(*key).device)
            for key in matrices
        }
        self.weight = torch.zeros(n_edits)

    def add(self, key: MatrixKey, weights: Tensor, values: Tensor) -> None:
        """Args:
        weights: `[n_edits, n]`.
        values: `[n, d_mlp]`.
        """
        total = self.total[key]
        total += weights.to(total.device) @ values.float().to(total.device)

    def count(self, weights: Tensor) -> None:
        """Add to what the sums are divided by in the end, `[n_edits]`."""
        self.weight += weights

    def means(self) -> tuple[Scores, ...]:
        """For each edit the mean of every neuron, on the processor."""
        shares = 1.0 / self.weight.clamp(min=1e-9)
        return tuple(
            {key: total[edit].cpu() * share for key, total in self.total.items()}
            for edit, share in enumerate(shares)
        )
