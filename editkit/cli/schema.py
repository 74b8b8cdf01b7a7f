"""`editkit schema`: the JSON Schema that lets an editor complete recipes."""

from __future__ import annotations

import json
from pathlib import Path

import click

from editkit.cli.options import talking
from editkit.cli.writing import write_text


@click.command()
@click.option("-o", "--output", "place", type=click.Path(path_type=Path), help="Write it to a file.")
@talking
def schema(place: Path | None) -> int:
    """Print the JSON Schema of recipes.

    It has the settings of every method. An editor with a YAML language server completes and checks a
    recipe that begins with `# yaml-language-server: $schema=recipe.schema.json`.
    """
    from editkit.cli.checks import json_schema

    text = json.dumps(json_schema(), indent=2)
    if place is None:
        click.echo(text)
    else:
        write_text(place, text + "\n")
    return 0
