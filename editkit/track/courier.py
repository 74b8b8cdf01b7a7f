"""A journal on its way to a store: reached when there is something to send, and again after it broke."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from editkit.events import Tell
from editkit.track.journal import Entry, Lines
from editkit.track.replay import Replay
from editkit.track.store import Unusable, connect, first_line, shown, usable

KILLED: Final = "KILLED"


def anything(size: int) -> None:
    """The listener to `working` that is not there."""


class Courier:
    """Brings whole entries to a store, in order; what failed is tried again by the next call."""

    def __init__(
        self,
        folder: Path,
        uri: str,
        tell: Tell,
        *,
        experiment: str | None = None,
        later: bool = False,
        working: Callable[[int], None] = anything,
    ) -> None:
        """See `Replay` for the arguments."""
        self.folder, self.uri = folder, uri
        self._tell, self._experiment, self._later, self._working = tell, experiment, later, working
        self._replay: Replay | None = None
        self._lines = Lines(folder)
        self._waiting: deque[Entry] = deque()
        self._status, self._at = KILLED, 0

    @property
    def complete(self) -> bool:
        return self._replay is not None and self._replay.complete

    @property
    def experiment(self) -> str | None:
        return None if self._replay is None else self._replay.progress.experiment or None

    @property
    def runs(self) -> dict[str, str]:
        """The store's ids of the journal's runs."""
        return {} if self._replay is None else dict(self._replay.progress.runs)

    def run_id(self, run: int) -> str | None:
        return self.runs.get(str(run))

    def advance(self) -> None:
        """Send what waits. Raises: whatever a store raises."""
        with warnings.catch_warnings():
            # The user can't do anything about what MLflow's dependencies say to each other.
            warnings.simplefilter("ignore")
            self._read()
            replay = self._reached()
            while self._waiting:
                usable(self.uri)
                replay.send(self._waiting[0])
                self._waiting.popleft()

    def end_killed(self) -> None:
        """The journal ends without an end: whoever wrote it is gone."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            usable(self.uri)
            self._reached().end_killed(self._at)

    def give_up(self) -> None:
        """Nothing more will be sent for now: what there is of the run says so."""
        if self._replay is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._replay.give_up(self._status)

    def close(self) -> None:
        self._lines.close()

    def _read(self) -> None:
        for entry in self._lines.new():
            self._waiting.append(entry)
            self._at = entry["at"]
            if (entry["op"], entry["run"]) == ("end", 0):
                self._status = entry["status"]

    def _reached(self) -> Replay:
        if self._replay is None:
            self._working(0)
            client = connect(self.uri, self._tell)
            replay = Replay(
                client,
                self.uri,
                self.folder,
                self._tell,
                experiment=self._experiment,
                later=self._later,
                working=self._working,
            )
            for _ in range(min(replay.sent, len(self._waiting))):
                self._waiting.popleft()
            self._replay = replay
        return self._replay


def reason(error: Exception, uri: str) -> str:
    """Why a run could not be sent, as the first half of a sentence."""
    from editkit.errors import EditkitError

    if isinstance(error, Unusable):
        return f"the MLflow store {shown(uri)} can't be used ({error.reason})"
    if isinstance(error, EditkitError):
        return str(error)
    return f"the MLflow store {shown(uri)} broke off ({first_line(error)})"


def kept(why: str, folder: Path) -> str:
    """The one line on a store that broke while an edit is being made."""
    return f"{why}; the edit goes on, its run is kept in {folder}, and `editkit sync` sends it"
