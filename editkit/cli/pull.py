"""`editkit pull`: what editkit wrote, from the Hub into a folder, whole and checked."""

from __future__ import annotations

from pathlib import Path

import click

from editkit.cli.options import talking
from editkit.cli.output import Output, size


@click.command()
@click.argument("name", metavar="ORG/NAME[@REVISION]")
@click.option(
    "-o",
    "--output",
    "place",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where to; ./NAME if not given.",
)
@click.option("--force", is_flag=True, help="Replace what editkit wrote there before.")
@talking
@click.pass_context
def pull(context: click.Context, name: str, place: Path | None, force: bool) -> int:
    """Download what editkit pushed, and check every byte of it.

    The folder is there whole or not at all.
    """
    from editkit.export.hub import pull as pulled

    name, _, revision = name.partition("@")
    output = context.ensure_object(Output)
    with output.working() as tell:
        done = pulled(
            name, place or Path(name.rpartition("/")[2]), revision=revision or None, replace=force, tell=tell
        )
    if output.json:
        output.document(
            {
                "status": "done",
                "repository": done.name,
                "commit": done.commit,
                "kind": done.kind,
                "folder": str(done.folder),
                "files": done.n_files,
                "bytes": done.n_bytes,
                "notes": list(done.notes),
            }
        )
    elif output.quiet:
        click.echo(done.folder)
    else:
        click.echo(f"{done.folder}: {done.kind}, {done.n_files} files, {size(done.n_bytes)}")
        for note in done.notes:
            click.echo(f"  {note}")
    return 0
