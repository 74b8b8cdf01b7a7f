"""What the pipeline may ask of a tracker, whether or not anything is tracked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from editkit.events import Event
from editkit.neuron import Neurons
from editkit.plan import EditPlan, PlannedEdit
from editkit.report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from editkit.figures.drawn import Drawn


class EditTracker(Protocol):
    """The part of a run that belongs to one edit."""

    def tell(self, event: Event) -> None: ...

    def params(self, values: Mapping[str, object]) -> None: ...

    def metrics(self, values: Mapping[str, float]) -> None: ...


class Tracker(Protocol):
    """A run from its recipe to its report; listens to events through `tell`."""

    @property
    def run_id(self) -> str | None: ...

    @property
    def experiment(self) -> str | None: ...

    def tell(self, event: Event) -> None: ...

    def resolved(self, text: str) -> None: ...

    def plan(self, plan: EditPlan) -> None: ...

    def neurons(self, neurons: Neurons) -> None: ...

    def figure(self, figure: Figure | Drawn, place: str) -> None: ...

    def text(self, text: str, place: str) -> None: ...

    def metrics(self, values: Mapping[str, float]) -> None: ...

    def edit(self, edit: PlannedEdit) -> AbstractContextManager[EditTracker]: ...

    def finish(self, report: Report, patch_path: Path | None) -> None: ...
