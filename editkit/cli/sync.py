"""`editkit sync`: runs whose store was not there go to it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from editkit.cli.options import talking
from editkit.cli.output import Output

if TYPE_CHECKING:
    from editkit.track.sync import Synced


@click.command()
@click.option("--to", metavar="URI", help="Another store than the one each run was meant for.")
@click.option("--experiment", metavar="NAME", help="Another experiment than the one that the recipe names.")
@talking
@click.pass_context
def sync(context: click.Context, to: str | None, experiment: str | None) -> int:
    """Send the runs that wait in .editkit/spool to MLflow.

    An edit never waits for a store: where that can't be used, the run is kept beside the work. A run that
    arrives is taken out of there; one that was killed is marked KILLED. It may be called again at any time.

    Exit code 1 when some could not be sent.
    """
    from editkit.track.sync import sync as synced

    output = context.ensure_object(Output)
    with output.working() as tell:
        found = synced(to, experiment, tell)
    arrived = [one for one in found if one.why is None]
    left = [one for one in found if one.why is not None]
    if output.json:
        output.document(
            {
                "status": "done" if not left else "incomplete",
                "synced": [
                    {
                        "journal": str(one.journal),
                        "name": one.name,
                        "run_id": one.run_id,
                        "experiment": one.experiment,
                        "store": one.store,
                    }
                    for one in arrived
                ],
                "left": [
                    {"journal": str(one.journal), "name": one.name, "store": one.store, "why": one.why}
                    for one in left
                ],
            }
        )
    elif output.quiet:
        for one in arrived:
            click.echo(one.run_id)
    else:
        _show(output, arrived, found)
    for one in left:
        click.echo(f"{one.name} stays in {one.journal}: {one.why}", err=True)
    return 1 if left else 0


def _show(output: Output, arrived: list[Synced], found: list[Synced]) -> None:
    from rich.text import Text

    if not found:
        click.echo("nothing waits here", err=True)
    for one in arrived:
        line = f"{one.name}  run {one.run_id} in experiment {one.experiment} of {one.store}"
        output.show(Text(line, overflow="fold"))
