"""Options that many commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from editkit.cli.output import Output

if TYPE_CHECKING:
    from editkit.recipe import Recipe

Command = TypeVar("Command", bound=Callable[..., Any])


def _switch(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value and option.name:
        setattr(context.ensure_object(Output), option.name, True)


def talking(command: Command) -> Command:
    """Adds --json, -q and -v; they may stand before or after the command's name."""
    for names, text in (
        (("--json",), "Print one JSON document on stdout, everything else on stderr."),
        (("-v", "--verbose"), "Say more; show the traceback of a bug."),
        (("-q", "--quiet"), "Print only what a script needs, and warnings."),
    ):
        add = click.option(
            *names, is_flag=True, expose_value=False, is_eager=True, callback=_switch, help=text
        )
        command = add(command)
    return command


def recipe_argument(command: Command) -> Command:
    """Adds RECIPE and --set."""
    setting = click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help="Set a key of the recipe, such as locate.top=16. Repeatable.",
    )
    return click.argument("recipe", type=click.Path(path_type=Path))(setting(command))


def read_recipe(path: Path, overrides: tuple[str, ...]) -> Recipe:
    """The recipe, checked against what this installation has.

    Raises:
        RecipeError: every problem at once.
    """
    from editkit.cli.checks import load_recipe
    from editkit.cli.shipped import shipped
    from editkit.errors import UsageError

    if not path.exists() and path.stem in shipped():
        raise UsageError(
            f"{path}: no such file; one of that name ships: `editkit cp {path.stem}` copies it here"
        )
    return load_recipe(path, overrides)
