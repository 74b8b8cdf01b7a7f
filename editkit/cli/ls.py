"""`editkit ls`: the recipes that ship."""

from __future__ import annotations

import click

from editkit.cli.options import talking
from editkit.cli.output import Output
from editkit.cli.shipped import about, shipped


@click.command()
@talking
@click.pass_context
def ls(context: click.Context) -> int:
    """List the recipes that ship with editkit; cp copies one."""
    output = context.ensure_object(Output)
    recipes = shipped()
    if output.json:
        listed = [{"name": name, "about": about(path)} for name, path in recipes.items()]
        output.document({"status": "done", "recipes": listed})
        return 0
    width = max(map(len, recipes), default=0)
    for name, path in recipes.items():
        click.echo(name if output.quiet else f"{name:<{width}}  {about(path)}")
    return 0
