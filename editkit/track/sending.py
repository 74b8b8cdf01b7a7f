"""The process that sends a journal: `python -m editkit.track.sending`, told on stdin which and where to.

It lives as long as its stdin is open, and goes on after that until all is sent. It says what happens in lines
of JSON on stdout.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from editkit.atomic.lock import locked
from editkit.events import Event, Noted
from editkit.track.courier import Courier, reason
from editkit.track.journal import removed
from editkit.track.sender import CALL_SECONDS
from editkit.track.store import quiet

POLL_SECONDS: Final = 0.1
AGAIN_SECONDS: Final = 5.0
# Imports, and the migrations of a new database, on a busy machine.
START_SECONDS: Final = 90.0
IDLE_SECONDS: Final = 1e9
BYTES_PER_SECOND: Final = 1e6


class Said:
    """What the other process hears; nobody has to listen."""

    def __init__(self, stream: int) -> None:
        self._stream = stream

    def __call__(self, **said: Any) -> None:
        with suppress(OSError):
            os.write(self._stream, json.dumps(said).encode() + b"\n")

    def event(self, event: Event) -> None:
        if isinstance(event, Noted):
            self(note=event.text, warning=event.warning, seconds=START_SECONDS)

    def working(self, size: int) -> None:
        self(seconds=CALL_SECONDS + size / BYTES_PER_SECOND)


def main() -> None:
    say = Said(os.dup(1))
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 1)
    asked = json.loads(sys.stdin.buffer.readline())
    folder = Path(asked["folder"])
    say(seconds=START_SECONDS)
    with locked(folder / "sending"), quiet():
        courier = Courier(folder, asked["uri"], say.event, working=say.working)
        if _followed(courier, say):
            removed(folder)
            say(complete=True)
        courier.close()


def _followed(courier: Courier, say: Said) -> bool:
    """Send all that is written until the writer is gone; whether everything has arrived."""
    broken, ended, again, known = False, False, 0.0, None
    while not ended:
        ended = _closed()
        if broken and not ended and time.monotonic() < again:
            continue
        try:
            courier.advance()
            if ended and not courier.complete:
                courier.end_killed()
        except Exception as error:  # a store may be any plugin, and fails with any kind of error
            if not broken:
                say(broken=reason(error, courier.uri))
            broken, again = True, time.monotonic() + AGAIN_SECONDS
        else:
            if broken:
                say(again=True)
            broken = False
        if (runs := courier.runs) != known:
            if not known and not ended:
                _prepared()
            known = runs
            say(runs=runs, experiment=courier.experiment)
        say(seconds=IDLE_SECONDS)
    if broken:
        with suppress(Exception):  # it broke before
            courier.give_up()
    return not broken


def _prepared() -> None:
    """Import while there is time what the end of a run needs: somebody waits for that."""
    import mlflow.pyfunc  # noqa: F401

    import editkit.track.registry  # noqa: F401


def _closed() -> bool:
    """Wait a moment; whether the other end of stdin is gone meanwhile."""
    ready, _, _ = select.select([sys.stdin], [], [], POLL_SECONDS)
    return bool(ready) and not os.read(sys.stdin.fileno(), 1024)


if __name__ == "__main__":
    main()
