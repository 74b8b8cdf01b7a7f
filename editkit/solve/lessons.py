"""What the solver learns from: the wanted distribution at every position of every edit and preserve case.

Counterfactual target (ours): where the unedited model would say a source with probability m, the wanted
distribution p' is its own one conditioned on the source not being said (m taken from the source's next token,
the rest divided by 1 - m); with a target, m goes to the target's first token instead, and its later tokens
get the share of the probability that came that way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from editkit.model.conditioning import Forbidden, Removal, kept
from editkit.model.editable import Editable
from editkit.model.feed import batches
from editkit.model.replay import Replay, replay
from editkit.neuron import MatrixKey
from editkit.plan import Case, EditPlan
from editkit.probe.words import split


@dataclass(frozen=True)
class Lesson:
    """A batch of cases to be replayed.

    Attributes:
        changed: positions (of the asked ones) where another distribution is wanted, int64 `[n_changed]`.
        wanted: that distribution, float32 `[n_changed, d_vocab]`.
        lost: the tokens that its likeliest one has to overtake, bool `[n_changed, d_vocab]`.
        weight: how much each changed position weighs: 1 / (number of cases of its edit), `[n_changed]`.
        kept: all other positions, int64: there the unedited model's own distribution is wanted.
    """

    replay: Replay
    changed: Tensor
    wanted: Tensor
    lost: Tensor
    weight: Tensor
    kept: Tensor


def preserve_lessons(
    editable: Editable,
    cases: Sequence[Case],
    neurons: Mapping[MatrixKey, Tensor],
    size: int,
    advance: Callable[[int], Any],
) -> list[Lesson]:
    """Lessons that only ask for nothing to change."""
    found = []
    for chunk in batches([case.question for case in cases], size):
        some = [cases[place] for place in chunk]
        record = replay(
            editable, [case.question for case in some], [case.said_tokens for case in some], neurons
        )
        count = len(record.where.rows)
        nothing = torch.zeros(0, dtype=torch.long, device=editable.device)
        empty = torch.zeros(0, device=editable.device)
        found.append(
            Lesson(record, nothing, empty, empty, empty, torch.arange(count, device=editable.device))
        )
        advance(len(some))
    return found


def edit_lessons(
    editable: Editable,
    plan: EditPlan,
    neurons: Mapping[MatrixKey, Tensor],
    size: int,
    advance: Callable[[int], Any],
) -> list[Lesson]:
    """Lessons on the edit cases: each along its wanted answer."""
    cases = plan.of("edit")
    share = {edit.number: 1.0 / max(1, len(plan.of("edit", edit.number))) for edit in plan.edits}
    forms = {edit.number: edit.forms for edit in plan.edits if edit.kind != "rewrite"}
    found = []
    for numbers in sorted({case.edits for case in cases}):
        own = [case for case in cases if case.edits == numbers]
        forbidden = Forbidden(editable, tuple(form for number in numbers for form in forms.get(number, ())))
        for chunk in batches([case.question for case in own], size):
            some = [own[place] for place in chunk]
            weight = sum(share[number] for number in numbers)
            found.append(_lesson(editable, some, forbidden, weight, neurons))
            advance(len(some))
    return found


def _lesson(
    editable: Editable,
    cases: Sequence[Case],
    forbidden: Forbidden,
    weight: float,
    neurons: Mapping[MatrixKey, Tensor],
) -> Lesson:
    questions = [case.question for case in cases]
    tokens = [case.wanted.tokens if case.wanted is not None else case.said_tokens for case in cases]
    record = replay(editable, questions, tokens, neurons)
    tables = list(record.before().split(record.where.lengths))
    removals = forbidden.removals(questions, tokens, tables)
    changed, wanted, first = [], [], 0
    for case, said, table, removed in zip(cases, tokens, tables, removals, strict=True):
        taught = set(case.wanted.taught) if case.wanted is not None else set()
        for position, distribution in wanted_distributions(editable, said, table, removed, taught).items():
            changed.append(first + position)
            wanted.append(distribution)
        first += len(said) + 1
    device = editable.device
    where = torch.tensor(changed, dtype=torch.long, device=device)
    others = torch.ones(first, dtype=torch.bool, device=device)
    others[where] = False
    aims = torch.stack(wanted) if wanted else torch.zeros(0, device=device)
    lost = _lost(aims, record.before()[where]) if wanted else torch.zeros(0, device=device)
    weights = torch.full((len(changed),), weight, device=device)
    return Lesson(record, where, aims, lost, weights, others.nonzero().flatten())


def _lost(wanted: Tensor, before: Tensor) -> Tensor:
    """Tokens that were likelier than the one that is wanted most."""
    best = wanted.argmax(-1, keepdim=True)
    return before > before.gather(1, best)


def wanted_distributions(
    editable: Editable,
    said: Sequence[int],
    table: Tensor,
    removed: Sequence[Sequence[Removal]],
    taught: set[int],
) -> dict[int, Tensor]:
    """Position -> p' float32 `[d_vocab]`, for the positions where p' is not the unedited p.

    Args:
        said: the wanted answer's tokens; `table` the unedited log-probabilities along it `[n + 1, d_vocab]`.
        removed: what has to go at each position.
        taught: positions whose token is taught as it stands.
    """
    found: dict[int, Tensor] = {}
    carried: dict[int, tuple[int, float]] = {}
    for position in range(len(said) + 1):
        if position in taught:
            found[position] = torch.nn.functional.one_hot(torch.tensor(said[position]), table.shape[1]).to(
                table
            )
            continue
        here = removed[position]
        if not here and position not in carried:
            continue
        p = table[position].double().exp()
        moved = 0.0
        for removal in here:
            if removal.token is None:
                p[removal.ends] = 0.0
                continue
            p[removal.token] *= kept(float(removal.mass / p[removal.token]))
            target = _target(editable, removal)
            if removal.step == 0 and target:
                p[target[0]] += removal.mass
                moved += removal.mass
                if tuple(said[position : position + len(target)]) == target:
                    _carry(carried, position, target, removal.mass, table)
        if position in carried:
            token, share = carried[position]
            p = p / p.sum() * (1.0 - share)
            p[token] += share
        found[position] = (p / p.sum()).float()
    return found


def _target(editable: Editable, removal: Removal) -> tuple[int, ...]:
    text = removal.form.instead
    if text is None:
        return ()
    return split(editable.tokenizer, f" {text}" if removal.spaced else text)


def _carry(
    carried: dict[int, tuple[int, float]], position: int, target: tuple[int, ...], mass: float, table: Tensor
) -> None:
    """The target's later tokens: of the probability of having come here, `mass` came for the target."""
    path = float(table[position, target[0]].exp())
    for step, token in enumerate(target[1:], start=1):
        carried[position + step] = (token, mass / (mass + path))
        path *= float(table[position + step, token].exp())
