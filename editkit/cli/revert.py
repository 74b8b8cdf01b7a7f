"""`editkit revert`: a merged folder back to its base."""

from __future__ import annotations

from pathlib import Path

import click

from editkit.cli.options import talking
from editkit.cli.output import Output, size


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("patch", required=False, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "place",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder to write.",
)
@click.option("--force", is_flag=True, help="Replace what editkit wrote there before.")
@talking
@click.pass_context
def revert(context: click.Context, folder: Path, patch: Path | None, place: Path, force: bool) -> int:
    """Take patches out of a merged checkpoint.

    DIR is a folder that `editkit export --merged` wrote; every file of its base comes back byte by byte. With
    PATCH only that one is taken out, of any checkpoint that has it in it.
    """
    from editkit.export.reverted import export_reverted
    from editkit.patch.file import Patch

    output = context.ensure_object(Output)
    given = None if patch is None else Patch.load(patch)
    with output.working() as tell:
        made = export_reverted(folder, place, given, replace=force, tell=tell)
    if output.json:
        output.document(
            {
                "status": "done",
                "folder": str(made.folder),
                "patches": list(made.patches),
                "kept": list(made.kept),
                "files": made.n_files,
                "bytes": made.n_bytes,
                "notes": list(made.notes),
            }
        )
    elif output.quiet:
        click.echo(made.folder)
    else:
        left = f", {len(made.kept)} kept" if made.kept else ""
        taken = f"{len(made.patches)} taken out{left}"
        click.echo(f"{made.folder}: {taken}, {made.n_files} files, {size(made.n_bytes)}")
        for note in made.notes:
            click.echo(f"  {note}")
    return 0
