"""A Ctrl-C that can't get lost: what a library swallows while it is imported, the next event raises again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from editkit.events import Event, Tell


@contextmanager
def heeding(tell: Tell) -> Iterator[Tell]:
    """`tell`, with an interrupt that was swallowed raised once more."""
    asked = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        raise KeyboardInterrupt

    def heed(event: Event) -> None:
        nonlocal asked
        if asked:
            asked = False
            raise KeyboardInterrupt
        tell(event)

    if threading.current_thread() is not threading.main_thread():
        yield tell
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield heed
    finally:
        signal.signal(signal.SIGINT, before)
