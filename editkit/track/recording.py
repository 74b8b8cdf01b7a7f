"""A journal that is being written, and sent meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from editkit.atomic.lock import locked
from editkit.errors import EditkitError
from editkit.events import Noted, Tell
from editkit.track.journal import Journal, new_journal
from editkit.track.sender import Nowhere, Sender, sender
from editkit.track.store import quiet


class Recording:
    """Numbers runs, writes them down, and lets them be sent."""

    def __init__(self, journal: Journal | None, sender: Sender, tell: Tell) -> None:
        self.sender = sender
        self._journal = journal
        self._tell = tell
        self._runs = 0

    def begin(self, name: str, tags: Mapping[str, str], **more: object) -> int:
        """A new run's number."""
        run, self._runs = self._runs, self._runs + 1
        self.write("begin", run, name=name, tags=dict(tags), **more)
        return run

    def write(self, op: str, run: int, **data: Any) -> None:
        if self._journal is not None:
            self._journal.write(op, run, **data)
            self._pushed(self._journal)

    def file(self, run: int, place: str, make: Callable[[Path], object]) -> None:
        if self._journal is not None:
            self._journal.file(run, place, make)
            self._pushed(self._journal)

    def _pushed(self, journal: Journal) -> None:
        if journal.why is not None:
            self._journal = None
            self._tell(Noted(_untracked(journal.why, "the rest of it is"), warning=True))
        self.sender.push()


@contextmanager
def recording(uri: str, tell: Tell) -> Iterator[Recording]:
    """A new journal for a block, on its way to the store at once; it is taken away when it has arrived."""
    with ExitStack() as stack:
        try:
            journal = new_journal()
            stack.callback(journal.close)
            # Held as long as it is written: `sync` leaves it alone.
            stack.enter_context(locked(journal.folder / "writing"))
        except (OSError, EditkitError) as error:
            tell(Noted(_untracked(error, "it is"), warning=True))
            yield Recording(None, Nowhere(), tell)
            return
        if "mlflow" in sys.modules:
            stack.enter_context(quiet(hurried=True))
        sending = sender(journal.folder, uri, tell)
        try:
            yield Recording(journal, sending, tell)
        finally:
            sending.close()


def _untracked(error: Exception, what: str) -> str:
    why = error.strerror if isinstance(error, OSError) else str(error)
    return f"this run's journal can't be written ({why}): the edit goes on, and {what} not tracked"
