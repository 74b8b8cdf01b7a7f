"""`editkit review`: a person accepts or rejects an edit."""

from __future__ import annotations

import getpass
import subprocess
from typing import TYPE_CHECKING

import click

from editkit.cli.options import talking
from editkit.cli.output import Output
from editkit.cli.ui import DEFAULT_STORE, store

if TYPE_CHECKING:
    from editkit.track.registry import Decision


@click.command()
@click.argument("run_id")
@click.option("--accept", "decision", flag_value="accepted", help="The edit may be used.")
@click.option("--reject", "decision", flag_value="rejected", help="It may not.")
@click.option("--note", required=True, metavar="TEXT", help="Why.")
@click.option("--by", metavar="NAME", help="Who decides.  [default: git's user.name, or the login name]")
@click.option("--uri", metavar="URI", help=f"The store of the runs.  [default: {DEFAULT_STORE}]")
@talking
@click.pass_context
def review(
    context: click.Context,
    run_id: str,
    decision: Decision | None,
    note: str,
    by: str | None,
    uri: str | None,
) -> int:
    """Accept or reject the edit of a run.

    RUN_ID, or the first digits of it, is told by apply and runs. The decision is kept in the run with
    who, when and why, and the registry's aliases follow it. A later review changes the decision; the
    earlier ones are kept.
    """
    from editkit.errors import UsageError

    if decision is None:
        raise UsageError("a review accepts or rejects: give --accept or --reject")
    from editkit.track.review import review as recorded

    output = context.ensure_object(Output)
    with output.working():
        done = recorded(store(uri), run_id, decision, by=who() if by is None else by, note=note)
    if output.json:
        output.document({"status": "done", **vars(done), "review": vars(done.review)})
    elif output.quiet:
        click.echo(done.run_id)
    else:
        again = f", after {done.earlier} earlier" if done.earlier else ""
        click.echo(
            f"{done.review.decision} by {done.review.by} at {done.review.at}{again}: run {done.run_id}"
        )
        if done.review.decision != done.verdict:
            click.echo(f"  the recipe's own verdict was {done.verdict}")
        for alias, version in sorted(done.moved.items()):
            click.echo(f"  models:/{done.name}@{alias} is version {version}")
    return 0


def who() -> str:
    """Who sits here: the name git signs with, or the login name."""
    try:
        told = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, timeout=5)
        if told.returncode == 0 and told.stdout.strip():
            return told.stdout.strip()
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        pass
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
