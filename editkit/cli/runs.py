"""`editkit runs`: the edits of a store, what came of them, and what people decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from editkit.cli.options import talking
from editkit.cli.output import Output
from editkit.cli.ui import DEFAULT_STORE, store

if TYPE_CHECKING:
    from editkit.track.reading import Edit

SHOWN: Final = ("efficacy", "locality")


@click.command()
@click.option("--experiment", metavar="NAME", help="Only the edits of this experiment.")
@click.option("--uri", metavar="URI", help=f"The store of the runs.  [default: {DEFAULT_STORE}]")
@talking
@click.pass_context
def runs(context: click.Context, experiment: str | None, uri: str | None) -> int:
    """List the edits with their verdicts, newest first.

    Also what people decided (editkit review), the main scores, and the digest of the patch.
    """
    from editkit.track.reading import edits

    output = context.ensure_object(Output)
    with output.working():
        found = edits(store(uri), experiment)
    if output.json:
        output.document({"status": "done", "runs": [_document(one) for one in found]})
    elif output.quiet:
        for one in found:
            click.echo(one.run_id)
    else:
        _show(output, found)
    return 0


def _document(one: Edit) -> dict[str, Any]:
    return {
        **vars(one),
        "scores": dict(one.scores),
        "made": one.made.isoformat(timespec="seconds"),
    }


def _show(output: Output, found: list[Edit]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not found:
        click.echo("no edits yet", err=True)
        return
    table = Table("edit", "decision", box=None, pad_edge=False)
    for name in ("run", "made (UTC)", *SHOWN, "patch"):
        table.add_column(name, no_wrap=True)
    for one in found:
        decision = one.verdict if one.review is None else f"{one.review} by {one.reviewed_by}"
        figures = [f"{one.scores[name]:.3f}" if name in one.scores else "-" for name in SHOWN]
        row = (one.name, decision, one.run_id[:8], f"{one.made:%Y-%m-%d}", *figures, one.patch_digest[:8])
        table.add_row(*(Text(cell) for cell in row))
    output.show(table)
