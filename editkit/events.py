"""What the rooms tell while they work; screens and trackers listen.

A room takes a `tell` function and calls it with events. It never knows who listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True)
class StageStarted:
    """A stage begins; `total` counts its steps when they are known."""

    name: str
    total: int | None = None


@dataclass(frozen=True)
class Advanced:
    """Some steps of a stage are done; `note` is a few words for the progress bar."""

    name: str
    steps: int = 1
    note: str = ""


@dataclass(frozen=True)
class StageEnded:
    name: str
    seconds: float


@dataclass(frozen=True)
class Measured:
    """One point of a curve, such as `loss/target` at step 7."""

    key: str
    value: float
    step: int


@dataclass(frozen=True)
class Noted:
    """A sentence the user should read; a warning when something may be wrong."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Shown:
    """Something that is looked at rather than read, such as thresholds; who draws knows it by its name."""

    name: str
    value: object


Progress = StageStarted | Advanced | StageEnded
Event = Progress | Measured | Noted | Shown
Tell = Callable[[Event], None]


class Seconds:
    """Adds up the seconds of every stage; a listener."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageEnded):
            self.seconds[event.name] = self.seconds.get(event.name, 0.0) + event.seconds


def nobody(event: Event) -> None:
    """The listener that is not there."""


def telling(*listeners: Tell) -> Tell:
    """One `tell` for several listeners, in order."""

    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell


@contextmanager
def stage(tell: Tell, name: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Tell that a stage runs; yields `advance(steps=1, note="")`."""
    tell(StageStarted(name, total))
    start = perf_counter()

    def advance(steps: int = 1, note: str = "") -> None:
        tell(Advanced(name, steps, note))

    try:
        yield advance
    finally:
        tell(StageEnded(name, perf_counter() - start))
