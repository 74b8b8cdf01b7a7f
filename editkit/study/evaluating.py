"""The last part of the pipeline alone: any changed model on a recipe's cases, or two of them compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from editkit.atomic import writable, write_whole
from editkit.errors import InputError
from editkit.events import StageEnded, Tell, nobody, stage, telling
from editkit.patch.file import Patch
from editkit.recipe import Recipe
from editkit.report import Report, Score

if TYPE_CHECKING:
    from editkit.model.editable import Editable
    from editkit.plan import EditPlan

Changed = str | PathLike[str] | Patch


@dataclass(frozen=True)
class Evaluated:
    """What a change does to the cases of a recipe.

    Attributes:
        change: what was evaluated; `against` what it was compared with.
        report: of the change; `other` of what it was compared with.
        differences: every score of the change, with the other's as its control: `difference` is change minus
            other, case by case.
    """

    recipe: Recipe
    model: str
    change: str
    report: Report
    against: str | None
    other: Report | None
    differences: tuple[Score, ...]
    run_id: str | None
    experiment: str | None
    seconds: Mapping[str, float]

    @property
    def accepted(self) -> bool:
        return self.report.verdict.accepted


def evaluate_only(
    recipe: Recipe,
    change: Changed,
    *,
    against: Changed | None = None,
    control: bool = False,
    tell: Tell = nobody,
    track: bool = True,
    report_place: Path | None = None,
) -> Evaluated:
    """Ask a changed model everything that the recipe's own edit would be asked; nothing is written.

    The unedited base gives every input its role, as it does for `apply`.

    Args:
        change: a patch or its file, a folder with a merged model or a LoRA adapter, or a model's Hub name.
        against: the same, to be compared with.
        control: whether the recipe is solved for random neurons as well, as many as the patch changes.
        report_place: where to write the report as one HTML file too.

    Raises:
        EditkitError: see `pipeline.apply`; or a change that can't be opened.
    """
    from editkit.judging import Judge, reader
    from editkit.pipeline import opened, plan_of, scorable, tracked
    from editkit.reporting import Reporting

    seconds: dict[str, float] = {}

    def watch(event: object) -> None:
        if isinstance(event, StageEnded):
            seconds[event.name] = seconds.get(event.name, 0.0) + event.seconds

    scorable(recipe)
    if report_place is not None:
        writable(report_place)
    first, second = _name(change), None if against is None else _name(against)
    with tracked(recipe, track, tell, f"{recipe.name} evaluate") as run:
        reading = Reporting()
        tell = telling(tell, watch, reading, run.tell)
        editable, bertscore = opened(recipe, tell), reader(recipe)
        with stage(tell, "open the changed model"):
            one = _opened(change, editable, recipe)
            other = None if against is None else _opened(against, editable, recipe)
        if control and not isinstance(one, Patch):
            raise InputError(f"{first}: a random control stands for a patch's neurons: give a patch")
        run.resolved(recipe.to_yaml(editable.revision))
        plan = plan_of(recipe, editable, tell)
        run.plan(plan)
        rival = _rival(recipe, editable, plan, one, tell) if control and isinstance(one, Patch) else None
        judge = Judge(recipe, editable, plan, bertscore)
        after = judge.ask(one, "ask the changed model", tell)
        beside = None if rival is None else judge.ask(rival, "ask the random control", tell)
        report = judge.report(after, beside, tell)
        compared: Report | None = None
        differences: tuple[Score, ...] = ()
        if other is not None:
            seen = judge.ask(other, "ask the other model", tell)
            compared = judge.report(seen, None, nobody)
            differences = judge.between(after, seen)
            run.text(json.dumps(told(differences), indent=1), "differences.json")
        file = None if isinstance(change, Patch) or not Path(change).is_file() else Path(change)
        run.finish(report, file)
        if track or report_place is not None:
            with stage(tell, "write the report"):
                page = reading.page(
                    recipe,
                    plan,
                    report,
                    what=f"evaluation of {_short(first)}",
                    patch=one if isinstance(one, Patch) else None,
                    patch_file=None if file is None else file.name,
                    run={"run": run.run_id, "experiment": run.experiment},
                    differences=differences,
                    against=None if second is None else _short(second),
                )
                run.text(page, "report.html")
                if report_place is not None:
                    write_whole(report_place, [page.encode("utf-8", "replace")])
        run_id, experiment = run.run_id, run.experiment
    return Evaluated(
        recipe, editable.name, first, report, second, compared, differences, run_id, experiment, seconds
    )


def _name(change: Changed) -> str:
    return "a patch" if isinstance(change, Patch) else fspath(change)


def _short(name: str) -> str:
    """The last part of a path; a report names no place of this machine."""
    return Path(name).name if Path(name).exists() else name


def _opened(change: Changed, editable: Editable, recipe: Recipe) -> Patch | Editable:
    from editkit.model.altered import open_altered

    if isinstance(change, Patch):
        return change
    return open_altered(fspath(change), editable, recipe.model_ref())


def _rival(recipe: Recipe, editable: Editable, plan: EditPlan, patch: Patch, tell: Tell) -> Patch:
    from editkit.locate.random import matched
    from editkit.neuron import Neurons
    from editkit.pipeline import solvable, solve

    solvable(recipe)
    own = patch.neurons()
    neurons = Neurons(tuple(own), (0.0,) * len(own), "patch")
    others = matched(editable, neurons, recipe.seed, tell)
    return solve(recipe, editable, plan, others, tell, "solve the random control")


def told(differences: tuple[Score, ...]) -> list[dict[str, object]]:
    """Differences as plain data."""
    return [
        {
            "metric": score.name,
            "edit": score.edit,
            "this": score.after.value,
            "other": None if score.control is None else score.control.value,
            "difference": None if score.difference is None else score.difference.value,
            "interval": None
            if score.difference is None
            else [score.difference.interval.low, score.difference.interval.high],
        }
        for score in differences
    ]
