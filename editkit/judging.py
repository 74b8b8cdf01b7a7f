"""Changed models, asked everything once -> a report with the verdict, and what is between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from editkit.evaluate import METRICS
from editkit.events import Noted, Tell, stage
from editkit.methods import load
from editkit.plan import Case, EditPlan
from editkit.recipe import Recipe
from editkit.report import Report, Score

if TYPE_CHECKING:
    from editkit.evaluate.metric import Metric, Observation
    from editkit.evaluate.similarity.measure import Similarity
    from editkit.model.editable import Editable
    from editkit.patch.file import Patch

READ: Final = frozenset({"bertscore", "reference_bertscore"})


def reader(recipe: Recipe) -> Similarity | None:
    """What reads answers, where a metric asks for it: opened before the long work, since it may not be there.

    Raises:
        ModelError: the encoder is not there or can't be used.
    """
    if READ.isdisjoint(recipe.evaluate.scored):
        return None
    from editkit.evaluate.similarity.available import similarity

    return similarity(recipe, "bertscore")


def evaluated(
    recipe: Recipe,
    editable: Editable,
    plan: EditPlan,
    patch: Patch,
    rival: Patch,
    tell: Tell,
    bertscore: Similarity | None = None,
) -> Report:
    """What an edit did, beside the same edit of the random control's neurons, and the verdict.

    Args:
        bertscore: see `reader`.
    """
    judge = Judge(recipe, editable, plan, bertscore)
    after = judge.ask(patch, "ask the edited model", tell)
    return judge.report(after, judge.ask(rival, "ask the random control", tell), tell)


@dataclass(frozen=True)
class Judge:
    """Asks changed models the same cases, and scores what they say."""

    recipe: Recipe
    editable: Editable
    plan: EditPlan
    bertscore: Similarity | None = None

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """Every case that a score may be of."""
        return tuple(case for case in self.plan.cases if case.role != "preserve")

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        return tuple(load(METRICS, name, "evaluate.metrics") for name in self.recipe.evaluate.scored)

    @cached_property
    def before(self) -> list[Observation]:
        from editkit.evaluate.observe import unedited

        return self._read(unedited(self.cases))

    def ask(self, change: Patch | Editable, name: str, tell: Tell) -> list[Observation]:
        """What the model says with a patch in it, or what another model says; one pass for each case.

        Args:
            name: what the stage is called.
        """
        from editkit.evaluate.observe import observe

        settings = self.recipe.evaluate
        seen = observe(
            self.editable,
            self.cases,
            change,
            name=name,
            max_new_tokens=settings.max_new_tokens,
            batch_size=settings.batch_size,
            drift="drift" in settings.scored,
            tell=tell,
        )
        return self._read(seen)

    def _read(self, seen: list[Observation]) -> list[Observation]:
        from editkit.evaluate.likeness import alike

        if self.bertscore is None:
            return seen
        return alike(self.bertscore, self.recipe.evaluate.scored, self.cases, seen)

    def report(
        self, after: Sequence[Observation], control: Sequence[Observation] | None, tell: Tell
    ) -> Report:
        """Scores, verdict, the worst cases first, and the words that came or went."""
        from editkit.evaluate.decide import decide
        from editkit.evaluate.scoring import rows, scores, spread, worst_first
        from editkit.evaluate.words import word_changes

        cases = self.cases
        with stage(tell, "score"):
            found = scores(self.metrics, self.plan, cases, self.before, after, control)
            kept = [place for place, case in enumerate(cases) if case.role == "control"]
            words = word_changes(
                [cases[place].said for place in kept],
                [after[place].text for place in kept],
                None if control is None else [control[place].text for place in kept],
            )
        verdict = decide(self.plan, found, dict(self.recipe.accept))
        for reason in verdict.reasons:
            tell(Noted(reason, warning=True))
        return Report(
            found,
            verdict,
            self.plan.counts(),
            worst_first(rows(self.metrics, self.plan, cases, after, control)),
            notes=self.notes(),
            details={"asked": float(self.plan.asked), **spread(cases, after)},
            words=words,
        )

    def between(self, one: Sequence[Observation], other: Sequence[Observation]) -> tuple[Score, ...]:
        """Scores of one with those of the other as their control: each difference is one minus other."""
        from editkit.evaluate.scoring import scores

        return scores(self.metrics, self.plan, self.cases, self.before, one, other)

    def notes(self) -> tuple[str, ...]:
        """What has to be told beside figures that other people's programs make."""
        from editkit.evaluate.text import bleu_signature

        found = []
        if any(metric.name.endswith("bleu") for metric in self.metrics):
            found.append(f"BLEU by sacrebleu, {bleu_signature()}")
        if self.bertscore is not None:
            found.append(f"BERTScore by {self.bertscore.reads}")
        return tuple(found)
