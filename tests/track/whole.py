"""Everything that a run can hold: written in one go, and read back from a store to be compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from editkit.events import Measured, StageEnded, Tell, nobody
from editkit.neuron import Neurons
from editkit.plan import EditPlan, PlannedEdit
from editkit.recipe import Recipe
from editkit.report import Report
from editkit.track.journal import journals
from editkit.track.run import open_run
from editkit.track.sync import sync

# They tell of one run alone.
OWN = {"mlflow.parentRunId", "editkit.journal", "editkit.registered", "mlflow.modelVersions"}


def nothing() -> None:
    """What happens in the middle of a run in which nothing happens."""


def write(
    recipe: Recipe,
    plan: EditPlan,
    edit: PlannedEdit,
    neurons: Neurons,
    report: Report,
    patch_path: Path,
    *,
    tell: Tell = nobody,
    middle: Callable[[], None] = nothing,
) -> str | None:
    """A run of two edits; its id."""
    with open_run(recipe, tell) as run:
        run.resolved("resolved: true\n")
        run.plan(plan)
        for step in range(30):
            run.tell(Measured("loss/target", 1.0 / (step + 1), step))
        run.tell(StageEnded("locate", 1.25))
        run.neurons(neurons)
        with run.edit(edit) as nested:
            nested.tell(Measured("loss/target", 0.5, 4))
        if middle is not nothing:
            assert run.run_id is None or len(run.run_id) == 32  # waits until the store has the run
            middle()
        for step in range(30, 60):
            run.tell(Measured("loss/target", 1.0 / (step + 1), step))
        run.tell(StageEnded("solve", 2.5))
        with run.edit(edit) as nested:
            nested.params({"top": 8})
            nested.metrics({"largest ratio": 1.9, "none": float("nan")})
        run.finish(report, patch_path)
        return run.run_id


def told_apart(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two of what `read` gives differ; all of them fit no screen."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(set(one) | set(other))
        return [line for key in keys for line in told_apart(one.get(key), other.get(key), f"{path}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for at, pair in pairs for line in told_apart(*pair, f"{path}/{at}")]
    return [] if one == other else [f"{path}: {one!r:.200} is not {other!r:.200}"]


def read(store: str, experiment: str = "trial") -> list[dict[str, Any]]:
    """All that a store's runs hold, the oldest first; nothing that differs between two that are alike."""
    client = MlflowClient(store)
    place = client.get_experiment_by_name(experiment)
    runs = client.search_runs([place.experiment_id], order_by=["attributes.start_time ASC"])
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    return [
        {
            **_run(client, run),
            "nested": sorted(
                (
                    _run(client, child)
                    for child in children
                    if child.data.tags["mlflow.parentRunId"] == run.info.run_id
                ),
                key=lambda one: len(one["params"]),  # they may have begun in one millisecond
            ),
            "models": [
                _model(one)
                for one in client.search_logged_models(
                    [place.experiment_id], f"source_run_id = '{run.info.run_id}'"
                )
            ],
            "versions": [
                (one.name, sorted(set(one.tags.items())), one.description)
                for one in client.search_model_versions(f"run_id = '{run.info.run_id}'")
            ],
        }
        for run in runs
        if run not in children
    ]


def _run(client: MlflowClient, run: Any) -> dict[str, Any]:
    run_id = run.info.run_id
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "params": run.data.params,
        "metrics": {
            key: [(point.step, str(point.value)) for point in client.get_metric_history(run_id, key)]
            for key in run.data.metrics
            if not key.startswith("system/")
        },
        # A run that waited did not know its id, or had another one, when it was described.
        "tags": {
            key: re.sub(r"editkit review \w+", "editkit review", value)
            for key, value in run.data.tags.items()
            if key not in OWN
        },
        "inputs": sorted(
            (one.dataset.name, one.dataset.digest, one.dataset.profile, one.tags[0].value)
            for one in run.inputs.dataset_inputs
        ),
        "files": _files(client, run_id, ""),
        "took": run.info.end_time >= run.info.start_time,
    }


def _files(client: MlflowClient, run_id: str, folder: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for one in client.list_artifacts(run_id, folder or None):
        if one.is_dir:
            found |= _files(client, run_id, one.path)
        else:
            found[one.path] = Path(client.download_artifacts(run_id, one.path)).read_bytes()
    return found


def _model(model: Any) -> dict[str, Any]:
    return {
        "name": model.name,
        "status": str(model.status),
        "params": model.params,
        "tags": {key: value for key, value in model.tags.items() if key not in OWN},
        "metrics": sorted((one.key, one.value, one.dataset_digest) for one in model.metrics),
    }


def arrives() -> str:
    """The id of the one run that waited."""
    (one,) = sync()
    assert one.why is None
    assert one.run_id is not None
    assert journals() == []
    assert sync() == []
    return one.run_id


def waits(told: list[str]) -> Path:
    """One run waits, and one line said so."""
    (journal,) = journals()
    (line,) = told
    assert "\n" not in line
    assert f"the edit goes on, its run is kept in {journal}, and `editkit sync` sends it" in line
    return journal
