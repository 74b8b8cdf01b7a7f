"""`editkit validate`: whether a recipe is good, without loading anything."""

from __future__ import annotations

from pathlib import Path

import click

from editkit.cli.options import read_recipe, recipe_argument, talking
from editkit.cli.output import Output


@click.command()
@recipe_argument
@talking
@click.pass_context
def validate(context: click.Context, recipe: Path, overrides: tuple[str, ...]) -> int:
    """Say whether RECIPE is good.

    All its problems are told at once, each with its line; exit code 2.
    """
    output = context.ensure_object(Output)
    asked = read_recipe(recipe, overrides)
    if asked.export.merged or asked.export.lora or asked.export.hub:
        from editkit.patch.format import SUFFIX
        from editkit.shipping import placed

        placed(asked, Path(f"{asked.name}{SUFFIX}"))
    if output.json:
        output.document({"status": "done", "recipe": asked.name, "digest": asked.digest})
    elif not output.quiet:
        click.echo(f"{recipe}: good ({asked.name}, digest {asked.digest[:12]})")
    return 0
