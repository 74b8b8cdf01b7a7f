"""What a model says, and how sure it is, with some of its neurons erased or disturbed."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from editkit.delta import Delta
from editkit.events import nobody
from editkit.model.changing import changed
from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities
from editkit.neuron import Neurons
from editkit.plan import Case, EditPlan, PlannedEdit
from editkit.probe.positions import source_positions
from editkit.solve.erase import Erase


def erased(editable: Editable, neurons: Neurons) -> Delta:
    """The delta that silences neurons."""
    return Erase().solve(editable, EditPlan((), (), 0), neurons, seed=0, tell=nobody)


def certainty(
    editable: Editable, cases: Sequence[Case], edit: PlannedEdit, delta: Delta | None, batch_size: int
) -> list[float]:
    """Log-probability of the source where each case says it, mean over its sub-tokens, in nats."""
    questions, said = [case.question for case in cases], [case.said_tokens for case in cases]
    with changed(editable, delta or Delta(())):
        tables = log_probabilities(editable, questions, said, batch_size)
    found = []
    for case, table in zip(cases, tables, strict=True):
        own = source_positions(editable.tokenizer, case, edit)
        tokens = torch.tensor([case.said_tokens[at] for at in own])
        found.append(float(table[own, tokens].mean()))
    return found
