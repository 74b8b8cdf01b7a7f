"""Recipe -> EditPlan -> Neurons -> Delta -> Patch -> Report: the arrows, in order, and the random control."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from editkit.atomic import writable, write_whole
from editkit.errors import Problem
from editkit.events import Event, Noted, Progress, Seconds, Tell, nobody, stage, telling
from editkit.locate import LOCALIZERS
from editkit.methods import build
from editkit.neuron import Neurons
from editkit.outcome import Applied, Planned
from editkit.patch.format import SUFFIX
from editkit.plan import EditPlan
from editkit.recipe import Recipe
from editkit.report import Report
from editkit.shipping import shippable, shipped, written
from editkit.solve import SOLVERS
from editkit.track.nobody import untracked
from editkit.track.tracker import Tracker

if TYPE_CHECKING:
    from editkit.locate.localizer import Localizer
    from editkit.model.editable import Editable
    from editkit.patch.file import Patch

PRESERVE: Final = 200


def apply(
    recipe: Recipe,
    *,
    output: Path | None = None,
    tell: Tell = nobody,
    track: bool = True,
    force: bool = False,
    report_place: Path | None = None,
) -> Applied:
    """Do what a recipe asks for: find the neurons, solve, write the patch, prove it, decide, export.

    Args:
        output: the patch file; `<name>.editkit.safetensors` in the working directory without it.
        report_place: where to write the report as one HTML file too.
        force: what editkit exported before to the places of the recipe's `export` goes.

    Raises:
        EditkitError: anything that can go wrong on purpose, in one sentence; no patch is written then.
    """
    from editkit.judging import evaluated, reader
    from editkit.locate.random import matched
    from editkit.locate.ranking import united
    from editkit.privacy import Masks
    from editkit.reporting import Reporting
    from editkit.views import Watching, views
    from editkit.views import written as writing

    path = output or Path(f"{recipe.name}{SUFFIX}")
    solvable(recipe)
    locatable(recipe)
    scorable(recipe)
    writable(path)
    if report_place is not None:
        writable(report_place)
    shippable(recipe, path, force)
    watch = Seconds()
    with tracked(recipe, track, tell) as run:
        watching, reading = Watching(), Reporting()
        tell = telling(tell, watch, watching, reading, run.tell)
        editable, bertscore = opened(recipe, tell), reader(recipe)
        run.resolved(recipe.to_yaml(editable.revision))
        plan = plan_of(recipe, editable, tell)
        run.plan(plan)
        plan = prepared(recipe, plan, tell)
        found = find(recipe, editable, plan, tell)
        neurons = united(found)
        run.neurons(neurons)
        if track or report_place is not None:
            with stage(tell, "draw"):
                reading.neurons = writing(editable, plan, found)
                drawings = views(editable, plan, found, watching.shown, reading.neurons, Masks(recipe))
                for name, figure in drawings:
                    run.figure(reading.figure(name, figure), name)
        others = matched(editable, neurons, recipe.seed, tell)
        patch = solve(recipe, editable, plan, neurons, tell)
        if not patch.entries:
            tell(Noted("the patch is empty: nothing had to change in these neurons", warning=True))
        rival = solve(recipe, editable, plan, others, tell, "solve the random control")
        report = evaluated(recipe, editable, plan, patch, rival, tell, bertscore)
        for edit in plan.edits:
            with run.edit(edit) as part:
                part.metrics(report.figures(edit.number))
                part.params({"neurons": " ".join(map(str, found[edit.number]))})
        patch = _signed(patch, report)
        with stage(tell, "write the patch"):
            patch.save(path)
        run.finish(report, path)
        if track or report_place is not None:
            with stage(tell, "write the report"):
                page = reading.page(
                    recipe,
                    plan,
                    report,
                    what=f"an edit of {patch.base.id}",
                    patch=patch,
                    patch_file=path.name,
                    run={"run": run.run_id, "experiment": run.experiment},
                )
                run.text(page, "report.html")
                if report_place is not None:
                    write_whole(report_place, [page.encode("utf-8", "replace")])
        exports = shipped(recipe, patch, path, editable.folder, force=force, tell=tell, keep=run.text)
    found_by = run.run_id, run.experiment
    return Applied(
        recipe, editable.name, neurons, report, path, patch, *found_by, dict(watch.seconds), exports
    )


def dry_run(recipe: Recipe, *, ask: bool = False, tell: Tell = nobody) -> Planned:
    """Everything `apply` decides before it looks for neurons: words, modules, memory, files to be written.

    Told from the model's config and the headers of its files; no weight is read.

    Args:
        ask: load the model after all, and give every input its role.

    Raises:
        EditkitError: see `apply`.
    """
    from editkit.model.facts import facts
    from editkit.model.memory import needed
    from editkit.model.outline import outline
    from editkit.probe.load import expected
    from editkit.probe.planning import planned_edits

    solvable(recipe)
    locatable(recipe)
    scorable(recipe)
    with stage(tell, "read config and headers"):
        found = outline(recipe.model_ref())
    editable, solver = found.editable, solver_of(recipe)
    localizer_of(recipe, editable)
    solved = getattr(solver, "batch_size", recipe.evaluate.batch_size)
    burden = expected(recipe, editable, solved=solved, preserve=getattr(solver, "preserve", PRESERVE))
    return Planned(
        edits=planned_edits(recipe, editable),
        modules=found.modules,
        facts=facts(found),
        load=burden,
        memory=needed(editable, burden),
        resolved=recipe.to_yaml(editable.revision),
        writes=written(recipe, Path(f"{recipe.name}{SUFFIX}")),
        plan=plan_of(recipe, opened(recipe, tell), tell) if ask else None,
    )


@contextmanager
def tracked(recipe: Recipe, track: bool, tell: Tell, name: str | None = None) -> Iterator[Tracker]:
    """A run of the recipe's name, or another, for a block; without `track` nothing is kept."""
    if track:
        from editkit.track.run import open_run

        kept: AbstractContextManager[Any] = open_run(recipe, tell, name)
    else:
        kept = untracked()
    with kept as run:
        yield run


def opened(recipe: Recipe, tell: Tell) -> Editable:
    """The recipe's model, ready to be watched and changed.

    Raises:
        ModelError: see `open_known`.
    """
    with stage(tell, "open the model"):
        from editkit.model.open import open_known

        return open_known(recipe.model_ref())


def solver_of(recipe: Recipe) -> Any:
    return build(SOLVERS, recipe.solve.method, recipe.solve.settings, "solve")


def localizer_of(recipe: Recipe, editable: Editable) -> Localizer:
    """The recipe's localizer, knowing that it can be used on this model."""
    found = _localizer(recipe)
    found.check(editable)
    return found


def _localizer(recipe: Recipe) -> Localizer:
    found: Localizer = build(LOCALIZERS, recipe.locate.method, recipe.locate.settings, "locate")
    return found


def locatable(recipe: Recipe) -> None:
    """What can be known of a localizer's needs before a model is loaded.

    Raises:
        EditkitError: see `twins.check`.
    """
    from editkit.probe.twins import check

    if _localizer(recipe).nulls is not None:
        check(recipe)


def scorable(recipe: Recipe) -> None:
    """What can be known of the inputs for side effects before a model is loaded.

    Raises:
        EditkitError: see `chair.check` and `pope.check`.
    """
    from editkit.probe.side import chair, pope

    chair.check(recipe)
    pope.check(recipe)


def solvable(recipe: Recipe) -> None:
    """Known from the recipe alone, so told before anything is loaded.

    Raises:
        RecipeError: the rows would be packed.
    """
    if recipe.model.load_in is not None:
        packed = "solving wants the rows as they are: leave it away (`editkit locate` takes packed models)"
        raise recipe.refusal([Problem("model.load_in", packed)])


def plan_of(recipe: Recipe, editable: Editable, tell: Tell, *, aims: bool = True) -> EditPlan:
    """Every input with its role, and what the unedited model says to it.

    Args:
        aims: see `make_plan`.
    """
    from editkit.probe.planning import make_plan

    preserve = getattr(solver_of(recipe), "preserve", PRESERVE)
    return make_plan(recipe, editable, preserve=preserve, tell=tell, aims=aims)


def prepared(recipe: Recipe, plan: EditPlan, tell: Tell) -> EditPlan:
    """The plan with all that the recipe's localizer needs in its cases."""
    from editkit.probe.twins import with_twins

    nulls = _localizer(recipe).nulls
    return plan if nulls is None else with_twins(recipe, plan, nulls=nulls, tell=tell)


def find(recipe: Recipe, editable: Editable, plan: EditPlan, tell: Tell) -> tuple[Neurons, ...]:
    """The neurons of each edit, from cases that have what the localizer needs."""
    localizer = localizer_of(recipe, editable)
    layers = recipe.locate.layers_of(len(editable.layers))
    return localizer.locate(editable, plan, layers, recipe.locate.top, tell)


def solve(
    recipe: Recipe, editable: Editable, plan: EditPlan, neurons: Neurons, tell: Tell, name: str = "solve"
) -> Patch:
    """The change of some neurons' rows as a patch.

    Args:
        name: what the stage is called; only the edit's own, `solve`, tells of its losses.
    """
    from editkit.provenance import signed

    def renamed(event: Event) -> None:
        # The control's curves would be taken for the edit's own.
        if name == "solve":
            tell(event)
        elif isinstance(event, Progress):
            tell(replace(event, name=name))

    solver = solver_of(recipe)
    delta = solver.solve(editable, plan, neurons, seed=recipe.seed, tell=renamed)
    return signed(recipe, editable, plan, neurons, solver, delta)


def _signed(patch: Patch, report: Report) -> Patch:
    """The patch with the scores of its acceptance run."""
    provenance = replace(patch.provenance, scores=report.table(), accepted=report.verdict.accepted)
    return replace(patch, provenance=provenance)
