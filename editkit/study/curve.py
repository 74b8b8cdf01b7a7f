"""How many neurons an edit needs: the same edit with more and more of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from editkit.errors import SolveError, UsageError
from editkit.events import Tell, nobody, stage
from editkit.recipe import Recipe
from editkit.report import Report

WANTED: Final = 0.95


@dataclass(frozen=True)
class Point:
    """An edit with `k` neurons for each edit of the recipe; its report has the random control beside it."""

    k: int
    report: Report


@dataclass(frozen=True)
class Curve:
    """Efficacy against the number of neurons.

    Attributes:
        fewest: the smallest measured k from which on efficacy stays at `wanted` or above; None if never.
        control: the same for as many random neurons.
    """

    points: tuple[Point, ...]
    wanted: float
    fewest: int | None
    control: int | None


def curve(recipe: Recipe, counts: Sequence[int], *, tell: Tell = nobody) -> Curve:
    """Solve the recipe's edits with its best neurons, so many of them each time; nothing is written.

    Args:
        counts: neurons for each edit, each a positive number; wanted is what `accept.efficacy` asks for.

    Raises:
        EditkitError: see `pipeline.apply`.
    """
    from editkit.evaluate.neurons.fewest import minimal_number
    from editkit.judging import evaluated, reader
    from editkit.locate.random import matched
    from editkit.locate.ranking import united
    from editkit.pipeline import find, locatable, opened, plan_of, prepared, solvable, solve

    ordered = sorted(set(counts))
    if not ordered or ordered[0] < 1:
        raise UsageError("a curve is measured at numbers of neurons such as 1,2,4,8,16")
    solvable(recipe)
    locatable(recipe)
    editable, bertscore = opened(recipe, tell), reader(recipe)
    plan = prepared(recipe, plan_of(recipe, editable, tell), tell)
    most = recipe.model_copy(update={"locate": recipe.locate.model_copy(update={"top": ordered[-1]})})
    found = find(most, editable, plan, tell)
    chosen = [united([ranking.top(k) for ranking in found]) for k in ordered]
    try:
        others = [matched(editable, neurons, recipe.seed) for neurons in chosen]
    except SolveError as error:
        raise SolveError(f"{error}; of a curve, ask for fewer than {ordered[-1]}") from error
    points = []
    with stage(tell, "curve", len(ordered)) as advance:
        for k, neurons, random in zip(ordered, chosen, others, strict=True):
            patch = solve(recipe, editable, plan, neurons, nobody)
            rival = solve(recipe, editable, plan, random, nobody)
            points.append(Point(k, evaluated(recipe, editable, plan, patch, rival, nobody, bertscore)))
            advance(1, f"{k} neurons: efficacy {points[-1].report.score('efficacy').after.value:.3f}")
    asked = recipe.accept.get("efficacy")
    wanted = asked.threshold if asked is not None else WANTED
    scores = [(point.k, point.report.score("efficacy")) for point in points]
    control = [(k, score.control.value) for k, score in scores if score.control is not None]
    return Curve(
        tuple(points),
        wanted,
        minimal_number([(k, score.after.value) for k, score in scores], wanted),
        minimal_number(control, wanted),
    )
