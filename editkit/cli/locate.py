"""`editkit locate`: the neurons alone, several localizers side by side, or how many are needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import read_recipe, recipe_argument, talking
from editkit.cli.output import Output, finite
from editkit.cli.writing import write_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from editkit.recipe import Recipe
    from editkit.study.locating import Located


@click.command()
@recipe_argument
@click.option(
    "-o", "--output", "place", type=click.Path(path_type=Path), help="Also write what is found here, as JSON."
)
@click.option(
    "--compare",
    metavar="METHODS",
    help="Several localizers side by side, such as contribution,gradient:at=answer,two_stage.",
)
@click.option("--erase", type=click.IntRange(1), help="With --compare: erase so many neurons (locate.top).")
@click.option(
    "--curve",
    metavar="COUNTS",
    help="Solve with so many neurons each time, such as 1,2,4,8,16: how many it takes.",
)
@click.option(
    "--figures",
    type=click.Path(path_type=Path, file_okay=False),
    help="Draw what there is to see into this folder: heat-maps, layers, ranks, tokens.",
)
@click.option("--no-track", is_flag=True, help="Keep no MLflow run of a comparison.")
@talking
@click.pass_context
def locate(
    context: click.Context,
    recipe: Path,
    overrides: tuple[str, ...],
    place: Path | None,
    compare: str | None,
    erase: int | None,
    curve: str | None,
    figures: Path | None,
    no_track: bool,
) -> int:
    """Find the neurons behind the words of RECIPE; change nothing."""
    from editkit.errors import UsageError

    output = context.ensure_object(Output)
    if compare is not None and curve is not None:
        raise UsageError("--compare and --curve are two questions: ask one at a time")
    if erase is not None and compare is None:
        raise UsageError("--erase says how many neurons --compare erases: give both")
    counts = None if curve is None else _counts(curve)
    asked = read_recipe(recipe, overrides)
    _places(place, figures)
    if compare is not None:
        document, shown = _compared(output, asked, compare, figures, erase=erase, track=not no_track)
    elif counts is not None:
        document, shown = _curve(output, asked, counts, figures)
    else:
        document, shown = _located(output, asked, figures)
    if place is not None:
        write_text(place, json.dumps(finite(document), ensure_ascii=False, indent=2) + "\n")
    if output.json:
        output.document(document)
    elif not output.quiet:
        output.show(*shown)
    elif compare is None and curve is None:
        for neuron in document["neurons"]:
            click.echo(neuron["name"])
    return 0


def _counts(text: str) -> tuple[int, ...]:
    from editkit.errors import UsageError

    try:
        counts = tuple(int(part) for part in text.split(","))
    except ValueError:
        counts = ()
    if not counts or min(counts) < 1:
        raise UsageError(f"--curve {text}: write numbers of neurons such as 1,2,4,8,16")
    return counts


def _places(place: Path | None, figures: Path | None) -> None:
    """Whether what is found can be written, known before the long work."""
    from editkit.atomic import writable
    from editkit.study.locating import check_folder

    if place is not None:
        writable(place)
    if figures is not None:
        check_folder(figures)


def _about(recipe: Recipe) -> dict[str, Any]:
    return {"status": "done", "recipe": recipe.name, "model": recipe.model.id}


def _saved(figures: Any, folder: Path | None) -> list[str]:
    from editkit.study.locating import save_figures

    return [] if folder is None else [str(path) for path in save_figures(figures, folder)]


def _compared(
    output: Output,
    recipe: Recipe,
    text: str,
    folder: Path | None,
    *,
    erase: int | None,
    track: bool,
) -> tuple[dict[str, Any], list[RenderableType]]:
    from editkit.cli.comparison import document, tables
    from editkit.study.compare import compare
    from editkit.study.drawing import drawn
    from editkit.study.variants import listed

    with output.working() as tell:
        found = compare(recipe, listed(text), erase=erase, tell=tell, track=track)
        written = _saved({} if folder is None else dict(drawn(found)), folder)
    return _about(recipe) | document(found) | {"figures": written}, [*tables(found), *written]


def _curve(
    output: Output, recipe: Recipe, counts: tuple[int, ...], folder: Path | None
) -> tuple[dict[str, Any], list[RenderableType]]:
    from editkit.cli.comparison import curve_document, curve_table
    from editkit.study.curve import curve
    from editkit.study.drawing import drawn_curve

    with output.working() as tell:
        found = curve(recipe, counts, tell=tell)
        written = _saved({} if folder is None else {"curve.png": drawn_curve(found)}, folder)
    return _about(recipe) | curve_document(found) | {"figures": written}, [curve_table(found), *written]


def _located(
    output: Output, recipe: Recipe, folder: Path | None
) -> tuple[dict[str, Any], list[RenderableType]]:
    from editkit.study.locating import locate_only

    with output.working() as tell:
        located = locate_only(recipe, figures=folder is not None, tell=tell)
        written = _saved(located.figures, folder)
    neurons = [
        {"name": str(neuron), "layer": neuron.layer, "score": score, "sign": sign, "tokens": list(tokens)}
        for neuron, score, sign, tokens in zip(
            located.neurons.items, located.neurons.scores, located.signs, located.decoded, strict=True
        )
    ]
    document = _about(recipe) | {"method": located.neurons.method, "neurons": neurons, "figures": written}
    return document, [*_tables(located), *written]


def _tables(located: Located) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    table = Table("neuron", "layer", "score", "active", "what it writes most, active like that")
    for neuron, score, sign, tokens in zip(
        located.neurons.items, located.neurons.scores, located.signs, located.decoded, strict=True
    ):
        written = Text(" ".join(map(repr, tokens)))
        table.add_row(str(neuron), str(neuron.layer), f"{score:.4g}", "-" if sign < 0 else "+", written)
    return [table]
