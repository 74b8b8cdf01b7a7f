"""The null twin takes everything a run takes and keeps nothing."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from editkit.events import StageEnded
from editkit.neuron import Neurons
from editkit.plan import EditPlan, PlannedEdit
from editkit.report import Report
from editkit.track.nobody import Nobody, untracked
from editkit.track.run import EditRun, Run
from editkit.track.tracker import EditTracker, Tracker


def test_nothing_is_kept(
    plan: EditPlan,
    edit: PlannedEdit,
    neurons: Neurons,
    report: Report,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with untracked() as run:
        run.resolved("a: 1")
        run.plan(plan)
        run.neurons(neurons)
        run.tell(StageEnded("solve", 1.0))
        with run.edit(edit) as nested:
            nested.params({"a": 1})
            nested.metrics({"b": 1.0})
        run.finish(report, tmp_path / "none")
    assert run.run_id is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("protocol", "kind"), [(Tracker, Run), (Tracker, Nobody), (EditTracker, EditRun), (EditTracker, Nobody)]
)
def test_both_twins_take_the_same_calls(protocol: type, kind: type) -> None:
    for name, method in vars(protocol).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            asked = list(inspect.signature(method).parameters)
            assert list(inspect.signature(getattr(kind, name)).parameters) == asked
