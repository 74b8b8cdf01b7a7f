"""A patch and its rival, asked everything once -> a report with the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from editkit.evaluate import METRICS
from editkit.events import Noted, Tell, stage
from editkit.methods import load
from editkit.plan import Case, EditPlan
from editkit.recipe import Recipe
from editkit.report import Report

if TYPE_CHECKING:
    from editkit.evaluate.metric import Observation
    from editkit.evaluate.similarity.measure import Similarity
    from editkit.model.editable import Editable
    from editkit.patch.file import Patch

READ = ("bertscore", "reference_bertscore")


def reader(recipe: Recipe) -> Similarity | None:
    """What reads answers, where a metric asks for it: opened before the long work, since it may not be there.

    Raises:
        ModelError: the encoder is not there or can't be used.
    """
    if not set(READ) & set(recipe.evaluate.scored):
        return None
    from editkit.evaluate.similarity.available import similarity

    return similarity(recipe, "bertscore")


def evaluated(
    recipe: Recipe,
    editable: Editable,
    plan: EditPlan,
    patch: Patch,
    rival: Patch | None,
    tell: Tell,
    bertscore: Similarity | None = None,
) -> Report:
    """What an edit did, beside the same edit of the random control's neurons, and the verdict.

    Args:
        rival: the random control; without one, nothing stands beside.
        bertscore: see `reader`; opened here where none is given.
    """
    cases = scored(plan)
    after = asked(recipe, editable, cases, patch, "ask the edited model", tell)
    control = None if rival is None else asked(recipe, editable, cases, rival, "ask the random control", tell)
    return judged(recipe, plan, cases, after, control, tell, bertscore or reader(recipe))


def scored(plan: EditPlan) -> list[Case]:
    """Every case that a score may be of."""
    return [case for case in plan.cases if case.role != "preserve"]


def asked(
    recipe: Recipe, editable: Editable, cases: Sequence[Case], patch: Patch, name: str, tell: Tell
) -> list[Observation]:
    """What the model says to the cases with a patch in it."""
    from editkit.evaluate.observe import observe

    return observe(
        editable,
        cases,
        patch,
        name=name,
        max_new_tokens=recipe.evaluate.max_new_tokens,
        batch_size=recipe.evaluate.batch_size,
        drift="drift" in recipe.evaluate.scored,
        tell=tell,
    )


def judged(
    recipe: Recipe,
    plan: EditPlan,
    cases: Sequence[Case],
    after: Sequence[Observation],
    control: Sequence[Observation] | None,
    tell: Tell,
    bertscore: Similarity | None,
) -> Report:
    """Observations of the same cases -> scores, verdict, rows, words."""
    from editkit.evaluate.decide import decide
    from editkit.evaluate.likeness import alike
    from editkit.evaluate.observe import unedited
    from editkit.evaluate.scoring import rows, scores, spread, worst_first
    from editkit.evaluate.words import word_changes

    names = recipe.evaluate.scored
    metrics = [load(METRICS, name, "evaluate.metrics") for name in names]
    before: Sequence[Observation] = unedited(cases)
    with stage(tell, "score"):
        if bertscore is not None:
            before = alike(bertscore, names, cases, before)
            after = alike(bertscore, names, cases, after)
            control = None if control is None else alike(bertscore, names, cases, control)
        found = scores(metrics, plan, cases, before, after, control)
        verdict = decide(plan, found, dict(recipe.accept))
        kept = [place for place, case in enumerate(cases) if case.role == "control"]
        words = word_changes(
            [cases[place].said for place in kept],
            [after[place].text for place in kept],
            None if control is None else [control[place].text for place in kept],
        )
    for reason in verdict.reasons:
        tell(Noted(reason, warning=True))
    return Report(
        found,
        verdict,
        plan.counts(),
        worst_first(rows(metrics, plan, cases, after, control)),
        notes=notes(names, bertscore),
        details={"asked": float(plan.asked), **spread(cases, after)},
        words=words,
    )


def notes(names: Sequence[str], bertscore: Similarity | None) -> tuple[str, ...]:
    """What has to be told beside figures that other people's programs made."""
    from editkit.evaluate.text import bleu_signature

    found = []
    if any(name.endswith("bleu") for name in names):
        found.append(f"BLEU by sacrebleu, {bleu_signature()}")
    if bertscore is not None:
        found.append(f"BERTScore by {bertscore.reads}")
    return tuple(found)
