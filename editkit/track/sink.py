"""One MLflow run as a place to write to; a store that breaks never breaks the edit."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from editkit.events import Noted, Tell
from editkit.track.store import first_line, shown

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric

# One call costs 28 ms for one metric and 140 ms for 900; the interval keeps a running edit watchable.
BATCH: Final = 500
BATCH_SECONDS: Final = 5.0
LONGEST_PARAM: Final = 6000


class Guard:
    """Lets writes through until one fails; then says so once and lets the rest go untracked."""

    def __init__(self, uri: str, tell: Tell) -> None:
        self.broken = False
        self._told = False
        self._uri = uri
        self._tell = tell

    def write(self, call: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        if self.broken:
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                call(*args, **kwargs)
        except Exception as error:  # any store, any plugin, any kind of error: none may cost the edit
            self.broken = True
            if not self._told:
                self._told = True
                self._tell(Noted(self._sentence(error), warning=True))

    def attempt(self, what: str, call: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """A write that nothing else needs: where it fails, that alone is left out, and said.

        Args:
            what: the end of "the edit is tracked, but ...".
        """
        if self.broken:
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                call(*args, **kwargs)
        except Exception as error:  # as in write
            text = f"the edit is tracked, but {what} in {shown(self._uri)} ({first_line(error)})"
            self._tell(Noted(text, warning=True))

    def _sentence(self, error: Exception) -> str:
        return (
            f"the MLflow store {shown(self._uri)} broke off ({first_line(error)}): "
            "the edit goes on, and the rest of this run is not tracked"
        )


class Sink:
    """Params, metrics, tags and files of one run; metrics are sent in batches."""

    def __init__(self, client: MlflowClient, run_id: str, guard: Guard) -> None:
        self.client = client
        self.run_id = run_id
        self.guard = guard
        self._waiting: list[Metric] = []
        self._sent_at = time.monotonic()

    def metric(self, key: str, value: float, step: int = 0) -> None:
        from mlflow.entities import Metric

        self._waiting.append(Metric(key, float(value), int(time.time() * 1000), step))
        if len(self._waiting) >= BATCH or time.monotonic() - self._sent_at > BATCH_SECONDS:
            self.flush()

    def metrics(self, values: Mapping[str, float]) -> None:
        for key, value in values.items():
            self.metric(key, value)

    def flush(self) -> None:
        """Send what waits; a broken store forgets it."""
        waiting, self._waiting = self._waiting, []
        self._sent_at = time.monotonic()
        if waiting:
            self.guard.write(self.client.log_batch, self.run_id, metrics=waiting)

    def params(self, values: Mapping[str, str]) -> None:
        from mlflow.entities import Param

        cut = [Param(key, value[:LONGEST_PARAM]) for key, value in values.items()]
        for start in range(0, len(cut), 100):
            self.guard.write(self.client.log_batch, self.run_id, params=cut[start : start + 100])

    def tags(self, values: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        tags = [RunTag(key, value) for key, value in values.items()]
        self.guard.write(self.client.log_batch, self.run_id, tags=tags)

    def text(self, text: str, name: str) -> None:
        self.guard.write(self.client.log_text, self.run_id, text, name)

    def file(self, path: Path, folder: str) -> None:
        self.guard.write(self.client.log_artifact, self.run_id, str(path), folder)

    def figure(self, figure: object, name: str) -> None:
        self.guard.write(self.client.log_figure, self.run_id, figure, name)

    def table(self, columns: Mapping[str, list[object]], name: str) -> None:
        self.guard.write(self.client.log_table, self.run_id, dict(columns), name)

    def inputs(self, datasets: list[DatasetInput]) -> None:
        self.guard.write(self.client.log_inputs, self.run_id, datasets)

    def nested(self, experiment_id: str, name: str) -> Sink:
        """A run under this one; where none can be made, what is written to it goes nowhere."""
        made: list[str] = []
        tags = {"mlflow.parentRunId": self.run_id}
        self.guard.write(
            lambda: made.append(self.client.create_run(experiment_id, tags=tags, run_name=name).info.run_id)
        )
        return Sink(self.client, made[0] if made else "", self.guard)

    def close(self, status: str) -> None:
        """End the run, even on a store that broke: perhaps only its files can't be written."""
        self.flush()
        broken, self.guard.broken = self.guard.broken, False
        if broken:
            self.tags({"editkit.tracking": "incomplete"})
        self.guard.write(self.client.set_terminated, self.run_id, status)
        self.guard.broken |= broken
