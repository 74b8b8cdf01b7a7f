"""Joint effect: do neurons do together what each of them does alone?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from editkit.evaluate.intervals import mean
from editkit.report import Value


@dataclass(frozen=True)
class JointEffect:
    """Ablating neurons in a group against ablating them one by one.

    Attributes:
        group: the mean drop when all are ablated at once.
        singles: the mean drop for each one ablated alone.
        joint: the group's drop minus the sum of the single ones. Above 0 they stand in for each other, so
            that only losing all of them shows; below 0 each of them alone takes away what the others lose.
    """

    group: Value
    singles: tuple[Value, ...]
    joint: Value


def joint_effect(group: Sequence[float], singles: Sequence[Sequence[float]]) -> JointEffect:
    """Group drop minus the sum of single drops, case by case, with bootstrap intervals over cases (ours).

    Args:
        group: of each case, the figure before minus the figure with the whole group ablated, `[n_cases]`:
            0 or 1 for a word that is named or not, or a log-probability in nats.
        singles: the same for each neuron ablated alone, `[n_neurons][n_cases]`.
    """
    sums = [sum(drops) for drops in zip(*singles, strict=True)] if singles else [0.0] * len(group)
    joint = mean([float(whole) - apart for whole, apart in zip(group, sums, strict=True)])
    return JointEffect(mean(group), tuple(mean(drops) for drops in singles), joint)
