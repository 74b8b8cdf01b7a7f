"""One run as a place to write to: everything goes into its journal, and from there to the store."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from editkit.privacy.guard import Guard
from editkit.track.journal import copied
from editkit.track.recording import Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

    from editkit.figures.drawn import Drawn

# One call costs 28 ms for one metric and 140 ms for 900; the interval keeps a running edit watchable.
BATCH: Final = 500
BATCH_SECONDS: Final = 5.0
LONGEST_PARAM: Final = 6000


class Sink:
    """Params, metrics, tags and files of one run; metrics are sent in batches.

    Nothing is written that `guard` has not seen.
    """

    def __init__(self, recording: Recording, run: int, guard: Guard) -> None:
        self._recording = recording
        self._run = run
        self.guard = guard
        self._tables: list[dict[str, str]] = []
        self._pictures = 0
        self._waiting: list[tuple[str, float, int, int]] = []
        self._sent_at = time.monotonic()

    @property
    def run_id(self) -> str | None:
        """The run's id in the store; None where it could not be reached."""
        return self._recording.sender.run_id(self._run)

    @property
    def experiment(self) -> str | None:
        return self._recording.sender.experiment()

    def metric(self, key: str, value: float, step: int = 0) -> None:
        self._waiting.append((self.guard.name(key), float(value), int(time.time() * 1000), step))
        if len(self._waiting) >= BATCH or time.monotonic() - self._sent_at > BATCH_SECONDS:
            self.flush()

    def metrics(self, values: Mapping[str, float]) -> None:
        for key, value in values.items():
            self.metric(key, value)

    def flush(self) -> None:
        """Send what waits."""
        waiting, self._waiting = self._waiting, []
        self._sent_at = time.monotonic()
        if waiting:
            self._recording.write("metrics", self._run, values=waiting)

    def params(self, values: Mapping[str, str]) -> None:
        seen = ((key, self.guard.text(value)) for key, value in values.items())
        cut = [(key, value[:LONGEST_PARAM]) for key, value in seen]
        for start in range(0, len(cut), 100):
            self._recording.write("params", self._run, values=dict(cut[start : start + 100]))

    def tags(self, values: Mapping[str, str]) -> None:
        self._recording.write("tags", self._run, values=self.guard.values(values))

    def text(self, text: str, name: str) -> None:
        content = self.guard.text(text).encode("utf-8", "replace")
        self._file(name, lambda path: path.write_bytes(content))

    def file(self, path: Path, name: str) -> None:
        """A file as it is: who gives it knows what is in it."""
        self._file(name, copied(path))

    def figure(self, figure: Figure | Drawn, name: str) -> None:
        if self.guard.shows(figure):
            self._file(name, figure.savefig)

    def image(self, image: Image, name: str) -> None:
        self._file(name, self.guard.image(image).save)

    def table(self, columns: Mapping[str, list[object]], name: str) -> None:
        """A table that MLflow's pages show; equal pictures in it are kept once."""
        columns = {key: self._linked(values, name) for key, values in columns.items()}
        rows = [list(row) for row in zip(*columns.values(), strict=True)]
        self.text(json.dumps({"columns": list(columns), "data": rows}, ensure_ascii=False), name)
        self._tables.append({"path": name, "type": "table"})
        self.tags({"mlflow.loggedArtifacts": json.dumps(self._tables)})

    def inputs(self, datasets: list[dict[str, str]]) -> None:
        self._recording.write("inputs", self._run, datasets=self.guard.data(datasets))

    def models(self, asked: Mapping[str, Any]) -> None:
        """The models before and after; see `registry.to_keep`."""
        self._recording.write("models", self._run, models=self.guard.values(asked))

    def nested(self, name: str) -> Sink:
        """A run under this one."""
        number = self._recording.begin(self.guard.name(name), {}, parent=self._run)
        return Sink(self._recording, number, self.guard)

    def close(self, status: str) -> None:
        self.flush()
        self._recording.write("end", self._run, status=status)

    def _file(self, name: str, make: Callable[[Path], object]) -> None:
        self._recording.file(self._run, self.guard.name(name), make)

    def _linked(self, values: list[object], name: str) -> list[object]:
        """Pictures as files of the run, and what MLflow writes in their place."""
        from PIL.Image import Image

        kept: dict[tuple[object, ...], dict[str, str]] = {}
        found: list[object] = []
        for value in values:
            if isinstance(value, Image):
                same = (value.mode, value.size, value.tobytes())
                if same not in kept:
                    place = f"table_images/{name.rpartition('.')[0]}/{self._pictures}.png"
                    self._pictures += 1
                    self.image(value, place)
                    kept[same] = {"type": "image", "filepath": place, "compressed_filepath": place}
                found.append(kept[same])
            else:
                found.append(value)
        return found
