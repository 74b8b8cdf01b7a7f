"""The tracker that is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from editkit.events import Event
from editkit.neuron import Neurons
from editkit.plan import EditPlan, PlannedEdit
from editkit.report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from editkit.figures.drawn import Drawn


class Nobody:
    """A run, and an edit's part of it, that keeps nothing."""

    run_id: str | None = None
    experiment: str | None = None

    def tell(self, event: Event) -> None: ...

    def params(self, values: Mapping[str, object]) -> None: ...

    def metrics(self, values: Mapping[str, float]) -> None: ...

    def resolved(self, text: str) -> None: ...

    def plan(self, plan: EditPlan) -> None: ...

    def neurons(self, neurons: Neurons) -> None: ...

    def figure(self, figure: Figure | Drawn, place: str) -> None: ...

    def text(self, text: str, place: str) -> None: ...

    @contextmanager
    def edit(self, edit: PlannedEdit) -> Iterator[Nobody]:
        yield self

    def finish(self, report: Report, patch_path: Path | None) -> None: ...


@contextmanager
def untracked() -> Iterator[Nobody]:
    """The twin of `open_run` for work that is not to be tracked."""
    yield Nobody()
