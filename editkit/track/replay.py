"""A journal sent to a store, entry by entry; sent again from anywhere, it gives the same run.

How far it came stands in the journal's own folder, so that an interrupted one goes on where it stopped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from editkit.errors import TrackError
from editkit.events import Noted, Tell
from editkit.track.experiment import RunPlace, begun_run, known_run, new_run, same_run
from editkit.track.journal import VERSION, Entry, sendable
from editkit.track.store import first_line, shown

if TYPE_CHECKING:
    from mlflow import MlflowClient

PROGRESS: Final = "sent.json"
JOURNAL: Final = "editkit.journal"
TRACKING: Final = "editkit.tracking"


@dataclass
class Progress:
    """How far a journal came: so many entries, into these runs of that store."""

    store: str = ""
    sent: int = 0
    runs: dict[str, str] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    experiment: str = ""
    experiment_id: str = ""

    @classmethod
    def load(cls, folder: Path) -> Progress:
        """What stands there; the beginning, where nothing does or it is damaged."""
        try:
            return cls(**json.loads((folder / PROGRESS).read_text()))
        except (OSError, ValueError, TypeError):
            return cls()

    def save(self, folder: Path) -> None:
        beside = folder / f".{PROGRESS}"
        beside.write_text(json.dumps(asdict(self)))
        os.replace(beside, folder / PROGRESS)


class Replay:
    """Sends entries in their order; `sent` of them have arrived."""

    def __init__(
        self,
        client: MlflowClient,
        uri: str,
        folder: Path,
        tell: Tell,
        *,
        experiment: str | None = None,
        later: bool = False,
        working: Callable[[int], None] = lambda size: None,
    ) -> None:
        """
        Args:
            experiment: instead of the journal's own.
            later: whether its process is gone: a run that `mlflow run` had begun may then be gone as well.
            working: hears before each call of the store how many bytes go.
        """
        self._client, self._uri, self._folder, self._tell = client, uri, folder, tell
        self._experiment, self._later, self._working = experiment, later, working
        found = Progress.load(folder)
        known = found.store == shown(uri) and "0" in found.runs and known_run(client, found.runs["0"])
        self.progress = found if known else Progress(shown(uri))
        # An entry may have arrived although nobody heard of it.
        self._again = True

    @property
    def sent(self) -> int:
        return self.progress.sent

    @property
    def complete(self) -> bool:
        return "0" in self.progress.ended

    def send(self, entry: Entry) -> None:
        """Raises: whatever the store raises; the same entry is then to be sent again."""
        run = str(entry["run"])
        size = 0
        if entry["op"] == "file":
            size = sendable(self._folder, entry["run"], entry["place"]).stat().st_size
        self._working(size)
        self._again = True
        getattr(self, f"_send_{entry['op']}")(run, entry)
        self._again = False
        self.progress.sent += 1
        self.progress.save(self._folder)

    def end_killed(self, at: int) -> None:
        """End every run that nobody has ended."""
        for run in reversed(self.progress.runs):
            if run not in self.progress.ended:
                self._send_end(run, {"status": "KILLED", "at": at})
        self.progress.save(self._folder)

    def give_up(self, status: str) -> None:
        """Leave runs that look what they are: ended, and incomplete."""
        for run, run_id in self.progress.runs.items():
            if run not in self.progress.ended:
                self._client.set_tag(run_id, TRACKING, "incomplete")
                self._client.set_terminated(run_id, status)

    def attempt(self, what: str, call: Callable[[], object]) -> None:
        """What nothing else needs: where it fails on a store that still answers, that is said and left out.

        Args:
            what: the end of "the edit is tracked, but ...".
        """
        try:
            call()
        except Exception as error:  # a store may be any plugin, and fails with any kind of error
            self._client.get_run(self.progress.runs["0"])
            text = f"the edit is tracked, but {what} in {shown(self._uri)} ({first_line(error)})"
            self._tell(Noted(text, warning=True))

    def _send_begin(self, run: str, entry: Entry) -> None:
        mark = f"{self._folder.name}/{run}"
        tags = {**entry["tags"], JOURNAL: mark}
        if run == "0":
            if entry["version"] != VERSION:
                raise TrackError(f"{self._folder}: written by another version of editkit: update this one")
            place = self._first(entry, tags)
            self.progress.experiment, self.progress.experiment_id = place.experiment, place.experiment_id
            self.progress.runs[run] = place.run_id
            return
        tags["mlflow.parentRunId"] = self.progress.runs[str(entry["parent"])]
        found = same_run(self._client, self.progress.experiment_id, JOURNAL, mark) if self._again else None
        if found is None:
            made = self._client.create_run(
                self.progress.experiment_id, start_time=entry["at"], tags=tags, run_name=entry["name"]
            )
            found = made.info.run_id
        self.progress.runs[run] = found

    def _first(self, entry: Entry, tags: dict[str, str]) -> RunPlace:
        name = self._experiment or entry["experiment"]
        if entry["begun"] is not None:
            place = begun_run(self._client, self._uri, entry["begun"], missing_ok=self._later)
            if place is not None:
                self._client.set_tag(place.run_id, JOURNAL, tags[JOURNAL])
                return place
        return new_run(self._client, self._uri, name, entry["name"], tags, entry["at"], mark=JOURNAL)

    def _send_params(self, run: str, entry: Entry) -> None:
        from mlflow.entities import Param

        params = [Param(key, value) for key, value in entry["values"].items()]
        self._client.log_batch(self.progress.runs[run], params=params)

    def _send_metrics(self, run: str, entry: Entry) -> None:
        from mlflow.entities import Metric

        self._client.log_batch(self.progress.runs[run], metrics=[Metric(*point) for point in entry["values"]])

    def _send_tags(self, run: str, entry: Entry) -> None:
        from mlflow.entities import RunTag

        tags = [RunTag(key, value) for key, value in entry["values"].items()]
        self._client.log_batch(self.progress.runs[run], tags=tags)

    def _send_file(self, run: str, entry: Entry) -> None:
        path = sendable(self._folder, entry["run"], entry["place"])
        folder = os.path.dirname(entry["place"]) or None
        self._client.log_artifact(self.progress.runs[run], str(path), folder)

    def _send_inputs(self, run: str, entry: Entry) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        given = []
        for one in entry["datasets"]:
            fields: dict[str, Any] = dict(one)
            tags = [InputTag("mlflow.data.context", fields.pop("context"))]
            given.append(DatasetInput(Dataset(**fields), tags=tags))
        self._client.log_inputs(self.progress.runs[run], given)

    def _send_models(self, run: str, entry: Entry) -> None:
        from editkit.track.registry import kept

        kept(self, self._client, self.progress.runs[run], self.progress.experiment_id, self._folder, entry)

    def _send_end(self, run: str, entry: Entry) -> None:
        run_id = self.progress.runs[run]
        self._client.set_terminated(run_id, entry["status"], entry["at"])
        if TRACKING in self._client.get_run(run_id).data.tags:
            self._client.delete_tag(run_id, TRACKING)
        self.progress.ended.append(run)
