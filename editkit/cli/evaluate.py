"""`editkit evaluate`: any patch or changed model on a recipe's cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import read_recipe, recipe_argument, talking
from editkit.cli.output import Output

if TYPE_CHECKING:
    from editkit.study.evaluating import Evaluated

REJECTED = 3


@click.command()
@click.argument("change", metavar="PATCH_OR_MODEL")
@recipe_argument
@click.option("--against", metavar="PATCH_OR_MODEL", help="Compare with another one, case by case.")
@click.option("--control", is_flag=True, help="Solve the recipe for random neurons too; of a patch.")
@click.option("--no-track", is_flag=True, help="Leave MLflow out.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the report as one HTML file too.")
@talking
@click.pass_context
def evaluate(
    context: click.Context,
    change: str,
    recipe: Path,
    overrides: tuple[str, ...],
    against: str | None,
    control: bool,
    no_track: bool,
    report: Path | None,
) -> int:
    """Ask a changed model everything RECIPE asks.

    PATCH_OR_MODEL is a patch file, a folder with a merged model or a LoRA adapter in it, or a model's Hub
    name. The base is the recipe's model; it gives every input its role, as for apply.

    Exit code 3 when the recipe's `accept` is not met.
    """
    output = context.ensure_object(Output)
    asked = read_recipe(recipe, overrides)
    from editkit.study.evaluating import evaluate_only

    with output.working() as tell:
        found = evaluate_only(
            asked,
            change,
            against=against,
            control=control,
            tell=tell,
            track=not no_track,
            report_place=report,
        )
    if output.json:
        output.document(_document(found))
    elif output.quiet:
        click.echo("accepted" if found.accepted else "rejected")
    else:
        _show(output, found)
    return 0 if found.accepted else REJECTED


def _document(found: Evaluated) -> dict[str, Any]:
    from editkit.cli.results import document
    from editkit.study.evaluating import told

    return {
        "status": "done",
        "accepted": found.accepted,
        "recipe": found.recipe.name,
        "model": found.model,
        "change": found.change,
        **document(found.report),
        "against": found.against,
        "other": None if found.other is None else document(found.other),
        "differences": told(found.differences),
        "run_id": found.run_id,
        "experiment": found.experiment,
        "seconds": dict(found.seconds),
    }


def _show(output: Output, found: Evaluated) -> None:
    from rich.text import Text

    from editkit.cli.results import differences_table, shown

    output.show(*shown(found.report))
    if found.against is not None:
        output.show(differences_table(found.differences))
    lines = [*found.report.notes, f"this   {found.change}"]
    if found.against is not None:
        lines.append(f"other  {found.against}")
    if found.run_id is not None:
        lines.append(f"run    {found.run_id} in experiment {found.experiment} (look at it: editkit ui)")
    output.show(*(Text(line, overflow="fold") for line in lines))
