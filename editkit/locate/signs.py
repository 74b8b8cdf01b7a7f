"""Whether neurons are active above or below zero where a word is said."""

from __future__ import annotations

from collections.abc import Sequence

from editkit.events import nobody
from editkit.locate.activation import Activation
from editkit.model.editable import Editable
from editkit.neuron import Neurons
from editkit.plan import EditPlan


def signs(editable: Editable, plan: EditPlan, found: Sequence[Neurons]) -> tuple[tuple[int, ...], ...]:
    """For each edit the sign of each neuron's mean activation where the source is said: 1 or -1 (ours).

    Behind a gate an activation may be negative, and then a neuron adds the opposite of its row: what it
    writes most are the tokens its row points away from. Half of the neurons that push a word may do so. One
    forward pass over the edit cases.

    Args:
        found: a ranking for each edit.
    """
    layers = tuple(sorted({neuron.layer for ranking in found for neuron in ranking}))
    scores = Activation().scores(editable, plan, layers, nobody)
    return tuple(
        tuple(-1 if float(own[neuron.matrix][neuron.index]) < 0 else 1 for neuron in ranking)
        for own, ranking in zip(scores, found, strict=True)
    )
