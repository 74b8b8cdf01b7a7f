"""The experiment and the run that an edit is written to: new ones, or the run `mlflow run` has begun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from editkit.errors import TrackError
from editkit.track.store import artifact_location, shown

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

# Opens MLflow's model-training view instead of the one for agents.
KIND: Final = {"mlflow.experimentKind": "custom_model_development"}


@dataclass(frozen=True)
class RunPlace:
    """A run and the experiment it lies in."""

    run_id: str
    experiment: str
    experiment_id: str


def new_run(client: MlflowClient, uri: str, experiment: str, name: str, begun: str | None) -> RunPlace:
    """A new run in the experiment, or `begun` taken over, in its own experiment and under its own name.

    Raises:
        TrackError: the experiment is deleted, or nobody has begun that run in this store.
    """
    if begun is not None:
        return _adopted(client, uri, begun)
    found = _experiment(client, uri, experiment)
    tags = {"mlflow.source.name": "editkit", "mlflow.source.type": "LOCAL"}
    run = client.create_run(found.experiment_id, tags=tags, run_name=name)
    return RunPlace(run.info.run_id, found.name, found.experiment_id)


def _adopted(client: MlflowClient, uri: str, run_id: str) -> RunPlace:
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        raise TrackError(
            f"MLFLOW_RUN_ID names run {run_id}, which is not in {shown(uri)}: "
            "unset it, or set MLFLOW_TRACKING_URI to the store that run is in"
        ) from error
    client.update_run(run_id, status="RUNNING")
    found = client.get_experiment(run.info.experiment_id)
    return RunPlace(run_id, found.name, found.experiment_id)


def _experiment(client: MlflowClient, uri: str, name: str) -> Experiment:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            client.create_experiment(name, artifact_location(uri, name), tags=KIND)
        except MlflowException as error:
            # Another process may have made it in the same moment.
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = client.get_experiment_by_name(name)
    if found is None or found.lifecycle_stage == "deleted":
        raise TrackError(
            f"the experiment {name!r} in {shown(uri)} is deleted: "
            "restore it with `mlflow experiments restore`, or name another one in `track.experiment`"
        )
    for key, value in KIND.items():
        if key not in found.tags:
            client.set_experiment_tag(found.experiment_id, key, value)
    return found
