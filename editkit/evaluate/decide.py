"""Scores -> verdict: what `accept` asks for, judged by the worst edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from editkit.plan import EditPlan
from editkit.report import Criterion, Score, Verdict

FEWEST_HELD_OUT: Final = 20
FEWEST_CONTROL: Final = 50


class Condition(Protocol):
    """One line of `accept`: it can be met, and be printed."""

    def met(self, value: float) -> bool: ...


def decide(plan: EditPlan, scores: Sequence[Score], accept: Mapping[str, Condition]) -> Verdict:
    """Accepted when every condition is met by the worst edit, on enough cases to tell."""
    criteria, reasons = [], []
    for name, condition in accept.items():
        own = [score for score in scores if score.name == name]
        if not own:
            criteria.append(Criterion(name, str(condition), None, False))
            reasons.append(f"{name} was asked to be {condition} and no case measured it")
            continue
        worst = min(own, key=lambda score: score.goodness)
        met = condition.met(worst.after.value)
        criteria.append(Criterion(name, str(condition), worst.after.value, met))
        if not met:
            where = "" if worst.edit is None else f" (edits[{worst.edit}])"
            reasons.append(f"{name} is {worst.after.value:.3f}{where}, asked for {condition}")
    held_out, control = len(plan.of("held_out")), len(plan.of("control"))
    if held_out < FEWEST_HELD_OUT:
        reasons.append(
            f"{held_out} held-out cases are too few to accept on (at least {FEWEST_HELD_OUT}): "
            "give more probe images, prompts or paraphrases that bring the word up"
        )
    if control < FEWEST_CONTROL:
        reasons.append(
            f"{control} control cases are too few to accept on (at least {FEWEST_CONTROL}): "
            "give more inputs without the word, or control.images and control.prompts"
        )
    return Verdict(not reasons, tuple(criteria), tuple(reasons))
