"""`editkit locate`: the neurons alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from editkit.cli.options import read_recipe, recipe_argument, talking
from editkit.cli.output import Output
from editkit.cli.writing import write_text


@click.command()
@recipe_argument
@click.option(
    "-o", "--output", "place", type=click.Path(path_type=Path), help="Also write them here, as JSON."
)
@talking
@click.pass_context
def locate(context: click.Context, recipe: Path, overrides: tuple[str, ...], place: Path | None) -> int:
    """Find the neurons behind the words of RECIPE; change nothing."""
    output = context.ensure_object(Output)
    asked = read_recipe(recipe, overrides)
    from editkit import pipeline

    with output.working() as tell:
        located = pipeline.locate_only(asked, tell=tell)
    neurons: list[dict[str, Any]] = [
        {"name": str(neuron), "score": score, "tokens": list(tokens)}
        for neuron, score, tokens in zip(
            located.neurons.items, located.neurons.scores, located.decoded, strict=True
        )
    ]
    document = {
        "status": "done",
        "recipe": asked.name,
        "model": asked.model.id,
        "method": located.neurons.method,
        "neurons": neurons,
    }
    if place is not None:
        write_text(place, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    if output.json:
        output.document(document)
    elif output.quiet:
        for neuron in neurons:
            click.echo(neuron["name"])
    else:
        from rich.table import Table
        from rich.text import Text

        table = Table("neuron", "score", "what it writes most")
        for neuron in neurons:
            table.add_row(
                neuron["name"], f"{neuron['score']:.4g}", Text(" ".join(map(repr, neuron["tokens"])))
            )
        output.show(table)
    return 0
