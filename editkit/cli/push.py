"""`editkit push`: what editkit wrote, to the Hub, in one commit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import read_recipe, talking
from editkit.cli.output import Output, size

if TYPE_CHECKING:
    from editkit.export.hub import Pushed


@click.command()
@click.argument("place", metavar="DIR|PATCH", type=click.Path(path_type=Path, exists=True))
@click.argument("name", metavar="ORG/NAME")
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option("--create-pr", is_flag=True, help="Open a pull request instead.")
@click.option("--revision", metavar="BRANCH", help="Push to this branch; it is made if need be.")
@click.option("--allow-rejected", is_flag=True, help="Push an edit that did not meet its goals too.")
@click.option(
    "--recipe",
    metavar="RECIPE",
    type=click.Path(path_type=Path),
    help="What the edit was made from: its words are looked for in every file.",
)
@click.option(
    "--base",
    metavar="MODEL",
    help="The edit's base, a folder or a Hub name: words in files that it has too don't count.",
)
@talking
@click.pass_context
def push(
    context: click.Context,
    place: Path,
    name: str,
    private: bool,
    create_pr: bool,
    revision: str | None,
    allow_rejected: bool,
    recipe: Path | None,
    base: str | None,
) -> int:
    """Push DIR, which `editkit export` wrote, or a PATCH to the Hub.

    Every byte is checked first, and words that must not be published are looked for. One commit brings all
    files, or none if somebody else committed meanwhile. Interrupted, the same command goes on.
    """
    from editkit.export.hub import push as pushed
    from editkit.model.files import locate_files, named

    output = context.ensure_object(Output)
    words = None if recipe is None else read_recipe(recipe, ())
    with output.working() as tell:
        folder = None if base is None else locate_files(named(base), weights=False)[0]
        done = pushed(
            place,
            name,
            private=private,
            create_pr=create_pr,
            revision=revision,
            allow_rejected=allow_rejected,
            recipe=words,
            base=folder,
            tell=tell,
        )
    if output.json:
        output.document(_document(done))
    elif output.quiet:
        click.echo(done.pr_url or done.url)
    else:
        what = "as it is there already" if done.change.nothing else str(done.change)
        click.echo(f"{done.name}: {done.n_files} files, {size(done.n_bytes)}: {what}")
        click.echo(done.pr_url or done.url)
    return 0


def _document(done: Pushed) -> dict[str, Any]:
    return {
        "status": "done",
        "repository": done.name,
        "commit": done.commit,
        "url": done.url,
        "pull_request": done.pr_url,
        "created": done.created,
        "files": done.n_files,
        "bytes": done.n_bytes,
        **vars(done.change),
    }
