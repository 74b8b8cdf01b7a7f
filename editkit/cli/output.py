"""How a command speaks: tables or one JSON document on stdout, everything else on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from editkit.errors import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from editkit.events import Tell


@dataclass
class Output:
    """What the user asked to see; the switches are set while the command line is read."""

    quiet: bool = False
    verbose: bool = False
    json: bool = False

    def document(self, document: Mapping[str, Any]) -> None:
        text = json.dumps(finite(document), ensure_ascii=False)
        # Control characters of a stranger's file reach no terminal, and half a character no encoder.
        click.echo(text if text.isprintable() else json.dumps(finite(document)))

    def show(self, *renderables: RenderableType) -> None:
        """Print for people, on stdout."""
        from rich.console import Console

        # No markup: `[` in a name is a bracket.
        console = Console(highlight=False, soft_wrap=False, markup=False)
        for renderable in renderables:
            console.print(renderable)

    @contextmanager
    def working(self) -> Iterator[Tell]:
        """Listen to a long work, and keep what libraries print off stdout."""
        from editkit.cli.interrupt import heeding
        from editkit.cli.screen import screen

        with redirect_stdout(sys.stderr), screen(self) as tell, heeding(tell) as heard:
            yield heard


def size(count: int) -> str:
    """Bytes as people say them: `14.1 GB`."""
    scaled, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while scaled >= 999.5 and len(units) > 1:
        scaled, units = scaled / 1000, units[1:]
    return f"{scaled:.3g} {units[0]}"


def finite(value: Any) -> Any:
    """Plain data that can be written as JSON: JSON has no NaN and no infinity: they become null."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def shown(value: Any) -> Any:
    """Plain data whose texts can be printed, wherever they come from."""
    if isinstance(value, Mapping):
        return {shown(key): shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    return printable(value) if isinstance(value, str) else value
