"""`editkit merge`: several patches as one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import talking
from editkit.cli.output import Output
from editkit.cli.writing import unwritten

if TYPE_CHECKING:
    from editkit.checkpoint import Checkpoint
    from editkit.patch.format import Base


@click.command()
@click.argument("patches", metavar="PATCH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "place",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=Path("merged.editkit.safetensors"),
    show_default=True,
    help="Where to write the patch.",
)
@click.option(
    "--base",
    metavar="MODEL",
    help="The patches' base, a folder or a Hub name: needed where two of them change one tensor.",
)
@click.option(
    "--overlap",
    type=click.Choice(["first", "last", "sum"]),
    help="What holds where several patches change one neuron; refused otherwise.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@talking
@click.pass_context
def merge(
    context: click.Context,
    patches: tuple[Path, ...],
    place: Path,
    base: str | None,
    overlap: Any,
    force: bool,
) -> int:
    """Make one patch of several, which does what they do together.

    On different neurons their order does not matter. A patch that was made on a checkpoint with another of
    them in it goes on top of that one.
    """
    from editkit.patch.algebra import merged
    from editkit.patch.file import Patch
    from editkit.patch.lineage import leaves

    output = context.ensure_object(Output)
    unwritten(place, force)
    given = [Patch.load(path) for path in patches]
    with output.working():
        made = merged(given, overlap=overlap or "refuse", checkpoint=_checkpoint(given[0].base, base))
    made.save(place)
    n_neurons, n_leaves = len(made.neurons()), len(leaves(made))
    if output.json:
        output.document(
            {
                "status": "done",
                "patch": str(place),
                "digest": made.digest,
                "neurons": n_neurons,
                "made_of": sorted(leaves(made)),
            }
        )
    elif output.quiet:
        click.echo(place)
    else:
        several = f"{n_leaves} patches" if n_leaves != 1 else "1 patch"
        neurons = f"{n_neurons:,} neurons" if n_neurons != 1 else "1 neuron"
        click.echo(f"{place}: {neurons}, made of {several}")
    return 0


def _checkpoint(base: Base, given: str | None) -> Checkpoint | None:
    """The base, where it is named or here; most merges do without."""
    from editkit.checkpoint import Checkpoint
    from editkit.errors import ModelError
    from editkit.model.files import base_folder

    if given is not None:
        return Checkpoint.open(base_folder(base, given))
    try:
        return Checkpoint.open(base_folder(base))
    except ModelError:
        return None
