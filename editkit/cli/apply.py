"""`editkit apply`: the main job, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import read_recipe, recipe_argument, talking
from editkit.cli.output import Output

if TYPE_CHECKING:
    from editkit.outcome import Applied

REJECTED = 3


@click.command()
@recipe_argument
@click.option("-o", "--output", "place", type=click.Path(path_type=Path), help="Where to write the patch.")
@click.option("--dry-run", is_flag=True, help="Show what would be done; the same as plan.")
@click.option("--no-track", is_flag=True, help="Leave MLflow out.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the report as one HTML file too.")
@click.option("--force", is_flag=True, help="Overwrite what the recipe's `export` wrote before.")
@talking
@click.pass_context
def apply(
    context: click.Context,
    recipe: Path,
    overrides: tuple[str, ...],
    place: Path | None,
    dry_run: bool,
    no_track: bool,
    report: Path | None,
    force: bool,
) -> int:
    """Edit a model as RECIPE says.

    Writes the patch, an MLflow run that shows what else moved, and, if the edit is accepted, what the
    recipe's `export` asks for.

    Exit code 3 when the edit was made but does not meet the recipe's `accept`.
    """
    if dry_run:
        from editkit.cli.plan import plan

        code: int = context.invoke(plan, recipe=recipe, overrides=overrides, ask=False)
        return code
    output = context.ensure_object(Output)
    asked = read_recipe(recipe, overrides)
    from editkit import pipeline

    with output.working() as tell:
        applied = pipeline.apply(
            asked, output=place, tell=tell, track=not no_track, force=force, report_place=report
        )
    if output.json:
        output.document(_document(applied))
    elif output.quiet:
        click.echo(applied.patch_path)
    else:
        _show(output, applied)
    return 0 if applied.accepted else REJECTED


def _document(applied: Applied) -> dict[str, Any]:
    from editkit.cli.results import document
    from editkit.shipping import listed

    neurons = zip(applied.neurons.items, applied.neurons.scores, strict=True)
    return {
        "status": "done",
        "accepted": applied.accepted,
        "recipe": applied.recipe.name,
        "model": applied.model,
        "neurons": [{"name": str(neuron), "score": score} for neuron, score in neurons],
        **document(applied.report),
        "patch": str(applied.patch_path),
        "exports": listed(applied.exports),
        "run_id": applied.run_id,
        "experiment": applied.experiment,
        "seconds": dict(applied.seconds),
    }


def _show(output: Output, applied: Applied) -> None:
    from rich.text import Text

    from editkit.cli.results import shown

    output.show(*shown(applied.report))
    lines = [*applied.report.notes, f"patch  {applied.patch_path} (editkit show {applied.patch_path})"]
    lines += [f"{one.kind:<7}{one.folder}" for one in applied.exports]
    if applied.run_id is not None:
        lines.append(f"run    {applied.run_id} in experiment {applied.experiment} (look at it: editkit ui)")
        lines.append(f"       then accept or reject it: editkit review {applied.run_id[:8]}")
    output.show(*(Text(line, overflow="fold") for line in lines))
