"""A patch and its rival, asked everything once -> a report with the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from editkit.evaluate import METRICS
from editkit.events import Noted, Tell
from editkit.methods import load
from editkit.plan import EditPlan
from editkit.recipe import Recipe
from editkit.report import Report

if TYPE_CHECKING:
    from editkit.evaluate.metric import Observation
    from editkit.model.editable import Editable
    from editkit.patch.file import Patch


def evaluated(
    recipe: Recipe, editable: Editable, plan: EditPlan, patch: Patch, rival: Patch | None, tell: Tell
) -> Report:
    """What an edit did, beside the same edit of the random control's neurons, and the verdict."""
    from editkit.evaluate.decide import decide
    from editkit.evaluate.observe import observe, unedited
    from editkit.evaluate.scoring import rows, scores, spread, worst_first

    metrics = [load(METRICS, name, "evaluate.metrics") for name in recipe.evaluate.scored]
    cases = [case for case in plan.cases if case.role != "preserve"]

    def watch(some: Patch, name: str) -> list[Observation]:
        return observe(
            editable,
            cases,
            some,
            name=name,
            max_new_tokens=recipe.evaluate.max_new_tokens,
            batch_size=recipe.evaluate.batch_size,
            drift="drift" in recipe.evaluate.metrics,
            tell=tell,
        )

    after = watch(patch, "ask the edited model")
    control = None if rival is None else watch(rival, "ask the random control")
    found = scores(metrics, plan, cases, unedited(cases), after, control)
    verdict = decide(plan, found, {str(name): asked for name, asked in recipe.accept.items()})
    for reason in verdict.reasons:
        tell(Noted(reason, warning=True))
    return Report(
        found,
        verdict,
        plan.counts(),
        worst_first(rows(metrics, plan, cases, after, control)),
        details={"asked": float(plan.asked), **spread(cases, after)},
    )
