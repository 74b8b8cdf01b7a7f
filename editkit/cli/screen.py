"""Events on the screen: progress bars on a terminal, plain lines elsewhere, warnings alone when quiet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from editkit.cli.output import Output
from editkit.errors import printable
from editkit.events import Advanced, Event, Measured, Noted, StageEnded, StageStarted, Tell


class _Listener(Protocol):
    def __call__(self, event: Event) -> None: ...


class Lines:
    """One line for each event worth one."""

    def __init__(self, console: Console, output: Output) -> None:
        self.console = console
        self.output = output

    def __call__(self, event: Event) -> None:
        match event:
            case Noted(text, warning) if warning or not self.output.quiet:
                self.say(f"warning: {text}" if warning else text)
            case StageStarted(name, total) if not self.output.quiet:
                self.say(f"{name} ..." if total is None else f"{name} ... ({total})")
            case StageEnded(name, seconds) if not self.output.quiet:
                self.say(f"{name}: {seconds:.1f} s")
            case Measured(key, value, step) if self.output.verbose:
                self.say(f"{key} [{step}] {value:.5g}")

    def say(self, text: str) -> None:
        self.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)


class Bars:
    """A bar for each stage that runs; a line with its time when it is done."""

    def __init__(self, progress: Progress, lines: Lines) -> None:
        self.progress = progress
        self.lines = lines
        self.running: dict[str, list[TaskID]] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case StageStarted(name, total):
                self.running.setdefault(name, []).append(self.progress.add_task(name, total=total, note=""))
            case Advanced(name, steps, note) if self.running.get(name):
                self.progress.update(self.running[name][-1], advance=steps, note=note)
            case StageEnded(name):
                if self.running.get(name):
                    self.progress.remove_task(self.running[name].pop())
                self.lines(event)
            case _:
                self.lines(event)


@contextmanager
def screen(output: Output, console: Console | None = None) -> Iterator[Tell]:
    """A listener for the time of a block; bars are gone when it is left, however it is left."""
    console = console or Console(stderr=True, highlight=False)
    lines = Lines(console, output)
    if output.quiet or not console.is_terminal:
        yield lines
        return
    columns = (
        TextColumn("{task.description:<18}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as bars:
        yield Bars(bars, lines)
