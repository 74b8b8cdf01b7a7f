"""Who brings a run's journal to the store while the edit is made.

A process of its own does it: MLflow takes seconds to import, and a store that hangs holds nobody up. Where
MLflow is imported already, such a process would only cost time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

import editkit
from editkit.events import Noted, Tell
from editkit.track.courier import Courier, kept, reason
from editkit.track.journal import removed
from editkit.track.store import shown

# What an edit may lose to a store that breaks stays under ten seconds altogether.
CALL_SECONDS: Final = 8.0
LAST_TRY_SECONDS: Final = 6.0
LOST_SECONDS: Final = 2.0


class Sender(Protocol):
    """Sends what a journal holds, and says in one line when it can't."""

    def push(self) -> None:
        """There is something new."""

    def run_id(self, run: int) -> str | None:
        """A run's id in the store, waited for where the store is being reached; None where it broke."""

    def experiment(self) -> str | None:
        """The name of the run's experiment; as `run_id`."""

    def close(self) -> None:
        """The journal is at its end: send the rest, and take it away when all has arrived."""


class Nowhere:
    """There is no journal to send."""

    def push(self) -> None: ...

    def run_id(self, run: int) -> str | None:
        return None

    def experiment(self) -> str | None:
        return None

    def close(self) -> None: ...


class Inline:
    """Sends at once, in this process."""

    def __init__(self, folder: Path, uri: str, tell: Tell) -> None:
        self._courier = Courier(folder, uri, tell)
        self._folder, self._uri, self._tell = folder, uri, tell
        self._broken = False
        self._lost = 0.0

    def push(self) -> None:
        if not self._broken:
            self._try()

    def run_id(self, run: int) -> str | None:
        return self._courier.run_id(run)

    def experiment(self) -> str | None:
        return self._courier.experiment

    def close(self) -> None:
        if not self._broken or self._lost < LOST_SECONDS:
            told, self._broken = self._broken, False
            self._try(told)
        if not self._broken and self._courier.complete:
            removed(self._folder)
        elif self._lost < LOST_SECONDS:
            with suppress(Exception):  # it broke before
                self._courier.give_up()
        self._courier.close()

    def _try(self, told: bool = False) -> None:
        begun = time.monotonic()
        try:
            self._courier.advance()
        except Exception as error:  # any store, any plugin, any kind of error: none may cost the edit
            self._broken = True
            self._lost += time.monotonic() - begun
            if not told:
                self._tell(Noted(kept(reason(error, self._uri), self._folder), warning=True))


class Aside:
    """Has a process of its own send; what it says is told at the next event."""

    def __init__(self, folder: Path, uri: str, tell: Tell) -> None:
        self._folder, self._uri, self._tell = folder, uri, tell
        self._runs: dict[str, str] = {}
        self._experiment: str | None = None
        self._broken = self._over = False
        self._until = time.monotonic() + 60.0
        self._heard: SimpleQueue[dict[str, Any]] = SimpleQueue()
        root = str(Path(editkit.__file__).parents[1])
        places = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        # A session of its own: Ctrl-C ends the edit, and what was made of it still arrives.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "editkit.track.sending"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
            start_new_session=True,
        )
        self._ear = threading.Thread(target=self._hear, daemon=True)
        self._ear.start()
        # On its standard input, since others can read command lines, and an address may hold a password.
        self._ask({"folder": str(folder), "uri": uri})

    def push(self) -> None:
        self._listen()

    def run_id(self, run: int) -> str | None:
        while str(run) not in self._runs and self._listen(0.05):
            pass
        return self._runs.get(str(run))

    def experiment(self) -> str | None:
        self.run_id(0)
        return self._experiment

    def close(self) -> None:
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        last = time.monotonic() + LAST_TRY_SECONDS
        while not self._over:
            self._listen(0.05)
            if self._broken and time.monotonic() > last:
                self._stop()
        self._process.wait()
        self._ear.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _listen(self, wait: float = 0.0) -> bool:
        """Take in what was said; whether there may be more to hear of the run."""
        with suppress(Empty):
            while True:
                self._take(self._heard.get(timeout=wait) if wait else self._heard.get_nowait())
                wait = 0.0
        if not self._over and time.monotonic() > self._until:
            self._break(f"the MLflow store {shown(self._uri)} does not answer")
            self._stop()
        return not (self._broken or self._over)

    def _take(self, said: dict[str, Any]) -> None:
        if "seconds" in said:
            self._until = said["time"] + said["seconds"]
        if "runs" in said:
            self._runs, self._experiment = said["runs"], said["experiment"]
        if "note" in said:
            self._tell(Noted(said["note"], warning=said["warning"]))
        if "broken" in said:
            self._break(said["broken"])
        if "again" in said and self._broken:
            self._broken = False
            self._tell(Noted(f"the MLflow store {shown(self._uri)} can be used again: the run is sent on"))
        if "over" in said:
            self._over = True
            if not said["over"] and not self._broken:
                self._break(f"what sends to the MLflow store {shown(self._uri)} has ended")

    def _break(self, why: str) -> None:
        if not self._broken:
            self._broken = True
            self._tell(Noted(kept(why, self._folder), warning=True))

    def _stop(self) -> None:
        self._over = True
        self._process.kill()

    def _ask(self, asked: dict[str, str]) -> None:
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.write(json.dumps(asked).encode() + b"\n")
                self._process.stdin.flush()

    def _hear(self) -> None:
        complete = False
        if self._process.stdout is not None:
            for line in self._process.stdout:
                said = json.loads(line)
                complete |= said.pop("complete", False)
                self._heard.put({**said, "time": time.monotonic()})
        self._heard.put({"over": complete})


def sender(folder: Path, uri: str, tell: Tell) -> Sender:
    """The one for this process."""
    # Other databases are waited for as long as MLflow likes, which is minutes.
    bounded = uri.startswith(("http://", "https://", "sqlite:///"))
    return Inline(folder, uri, tell) if bounded and "mlflow" in sys.modules else Aside(folder, uri, tell)
