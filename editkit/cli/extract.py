"""`editkit extract`: a patch from two checkpoints."""

from __future__ import annotations

from pathlib import Path

import click

from editkit.cli.options import talking
from editkit.cli.output import Output
from editkit.cli.writing import unwritten


@click.command()
@click.option("--base", required=True, metavar="MODEL", help="Before: a folder or a Hub name.")
@click.option("--edited", required=True, metavar="MODEL", help="After: a folder or a Hub name.")
@click.option(
    "-o",
    "--output",
    "place",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to write the patch.",
)
@click.option("--only-w-out", is_flag=True, help="Leave out what differs and is no row of W_out, and warn.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@talking
@click.pass_context
def extract(
    context: click.Context, base: str, edited: str, place: Path, only_w_out: bool, force: bool
) -> int:
    """Make a patch that leads from one checkpoint to another.

    They may differ in rows of W_out, whatever changed them; how the tensors are spread over files does not
    matter. Where they differ in anything else, nothing is written.
    """
    from editkit.extraction import extract as extracted

    output = context.ensure_object(Output)
    unwritten(place, force)
    with output.working() as tell:
        patch = extracted(base, edited, only_w_out=only_w_out, tell=tell)
        patch.save(place)
    tensors = sorted({entry.tensor for entry in patch.entries})
    n_neurons = len(patch.neurons())
    if output.json:
        output.document(
            {
                "status": "done",
                "patch": str(place),
                "digest": patch.digest,
                "neurons": n_neurons,
                "tensors": tensors,
            }
        )
    elif output.quiet:
        click.echo(place)
    elif n_neurons:
        click.echo(f"{place}: {n_neurons:,} neurons in {len(tensors):,} tensors")
    else:
        click.echo(f"{place}: the two are the same; the patch changes nothing")
    return 0
