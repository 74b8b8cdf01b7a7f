"""`editkit cp`: a recipe that ships, to be changed."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from editkit.cli.options import talking
from editkit.cli.output import Output
from editkit.cli.shipped import shipped
from editkit.cli.writing import write_text
from editkit.errors import UsageError


@click.command()
@click.argument("name")
@click.argument("destination", metavar="[DEST]", type=click.Path(path_type=Path), required=False)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@talking
@click.pass_context
def cp(context: click.Context, name: str, destination: Path | None, force: bool) -> int:
    """Copy the recipe NAME, to be changed.

    DEST is a file or a folder; without it, the copy is made here.
    """
    recipes = shipped()
    if name not in recipes:
        close = difflib.get_close_matches(name, recipes, n=1)
        raise UsageError(
            f"no recipe {name} ships with editkit: "
            + (f"did you mean {close[0]}?" if close else f"there are {', '.join(recipes)}")
        )
    place = destination or Path()
    place = place / f"{name}.yaml" if place.is_dir() else place
    # The opening comment names the command that runs it: from its new place.
    text = recipes[name].read_text(encoding="utf-8").replace(f"recipes/{name}.yaml", str(place))
    write_text(place, text, replace=force)
    output = context.ensure_object(Output)
    if output.json:
        output.document({"status": "done", "recipe": str(place)})
    else:
        click.echo(place if output.quiet else f"{place}: run it with `editkit apply {place}`")
    return 0
