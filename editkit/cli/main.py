"""The command line: one place that turns every error into a sentence and an exit code.

Exit codes: 0 done, 1 failure at run time, 2 bad recipe or usage, 3 ran and the answer is no (`accept` was
not met, `diff` found a difference), 130 interrupted.
"""

from __future__ import annotations

import difflib
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from editkit.cli import COMMANDS
from editkit.cli.options import talking
from editkit.cli.output import Output
from editkit.errors import EditkitError, RecipeError

INTERRUPTED = 130


class Commands(click.Group):
    """Commands whose files are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            close = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command {name}: {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="editkit", message="%(prog)s %(version)s")
@talking
def editkit() -> None:
    """Edit what a language or vision-language model says.

    A recipe says which words a model must lose or swap. editkit finds the few neurons that put
    them there, changes those, writes the change as a small patch, and shows in MLflow what else moved.

    Start with: editkit cp redact, then editkit apply redact.yaml
    """


def run(args: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    given = list(sys.argv[1:] if args is None else args)
    # Looked at here as well: a command line that can't be read must still be answered in JSON.
    output = Output(json="--json" in given, verbose="-v" in given or "--verbose" in given)
    try:
        code = editkit.main(given, prog_name="editkit", standalone_mode=False, obj=output)
    except RecipeError as error:
        return _failed(output, str(error), error.exit_code, problems=[vars(one) for one in error.problems])
    except EditkitError as error:
        return _failed(output, f"error: {error}", error.exit_code)
    except click.Abort:
        return _failed(output, "interrupted", INTERRUPTED, status="interrupted")
    except click.ClickException as error:
        where = (
            f" (see {error.ctx.command_path} --help)"
            if isinstance(error, click.UsageError) and error.ctx
            else ""
        )
        return _failed(output, f"error: {error.format_message().rstrip('.')}{where}", 2)
    except Exception as error:
        if output.verbose:
            traceback.print_exc()
        hint = "" if output.verbose else ", -v shows the traceback"
        what = " ".join(str(error).split())[:200]
        return _failed(output, f"error: this is a bug: {type(error).__name__}: {what}{hint}", 1)
    return code if isinstance(code, int) else 0


def _failed(output: Output, sentence: str, code: int, *, status: str = "failed", **more: Any) -> int:
    click.echo(sentence, err=True)
    if output.json:
        output.document({"status": status, "error": sentence.removeprefix("error: "), **more})
    return code


def main() -> NoReturn:
    sys.exit(run())
