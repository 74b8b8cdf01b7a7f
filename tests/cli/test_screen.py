from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from editkit.cli.output import Output
from editkit.cli.screen import Bars, Lines, screen
from editkit.events import Advanced, Measured, Noted, StageEnded, StageStarted, Tell, stage

EVENTS = (Noted("a sentence"), Noted("look out [here]", warning=True), Measured("loss/target", 0.5, 3))


def heard(output: Output, *, terminal: bool) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=80, color_system=None)
    with screen(output, console) as tell:
        work(tell)
    return stream.getvalue()


def work(tell: Tell) -> None:
    with stage(tell, "locate", 2) as advance, stage(tell, "inside"):
        advance(1, "half")
        advance(1)
    for event in EVENTS:
        tell(event)


def test_plain_lines_where_there_is_no_terminal() -> None:
    lines = heard(Output(), terminal=False).splitlines()
    assert lines[:2] == ["locate ... (2)", "inside ..."]
    assert lines[2].startswith("inside: ")
    assert lines[3].startswith("locate: ")
    assert lines[4:] == ["a sentence", "warning: look out [here]"]


def test_curves_are_said_only_when_asked() -> None:
    assert "loss/target [3] 0.5" in heard(Output(verbose=True), terminal=False)


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_leaves_the_warnings(terminal: bool) -> None:
    assert heard(Output(quiet=True), terminal=terminal) == "warning: look out [here]\n"


def test_bars_on_a_terminal() -> None:
    seen = heard(Output(), terminal=True)
    for words in ("locate: ", "inside: ", "a sentence", "look out [here]"):
        assert words in seen
    assert "0/2" in seen
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l"), "the cursor is shown again"


def test_a_bar_follows_its_stage() -> None:
    progress = Progress(console=Console(file=io.StringIO()))
    bars = Bars(progress, Lines(progress.console, Output()))
    bars(StageStarted("locate", 4))
    bars(Advanced("locate", 3, "layer 2"))
    bars(Advanced("nobody knows"))
    (task,) = progress.tasks
    assert (task.description, task.completed, task.total, task.fields["note"]) == ("locate", 3, 4, "layer 2")
    bars(StageEnded("locate", 1.0))
    assert progress.tasks == []


def test_bars_are_gone_after_an_error() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, color_system=None)
    with pytest.raises(KeyboardInterrupt), screen(Output(), console) as tell, stage(tell, "locate"):  # noqa: PT012
        assert console._live_stack
        raise KeyboardInterrupt
    assert not console._live_stack
    assert "locate: " in stream.getvalue()
