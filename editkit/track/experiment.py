"""The experiment and the run that an edit is written to: new ones, or the run `mlflow run` has begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from editkit.errors import TrackError
from editkit.track.store import artifact_location, shown

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

# Opens MLflow's model-training view instead of the one for agents.
KIND: Final = {"mlflow.experimentKind": "custom_model_development"}
SOURCE: Final = {"mlflow.source.name": "editkit", "mlflow.source.type": "LOCAL"}


@dataclass(frozen=True)
class RunPlace:
    """A run and the experiment it lies in."""

    run_id: str
    experiment: str
    experiment_id: str


def new_run(
    client: MlflowClient,
    uri: str,
    experiment: str,
    name: str,
    tags: Mapping[str, str],
    at: int,
    *,
    mark: str,
) -> RunPlace:
    """A run in the experiment: the one that has the same `mark` among its tags, or a new one.

    Args:
        at: when it began, in milliseconds since 1970.

    Raises:
        TrackError: the experiment is deleted, or can't be made under that name.
    """
    found = _experiment(client, uri, experiment)
    run_id = same_run(client, found.experiment_id, mark, tags[mark])
    if run_id is None:
        made = client.create_run(found.experiment_id, start_time=at, tags={**SOURCE, **tags}, run_name=name)
        run_id = made.info.run_id
    return RunPlace(run_id, found.name, found.experiment_id)


def same_run(client: MlflowClient, experiment_id: str, tag: str, value: str) -> str | None:
    """The run whose tag has that value, where there is one."""
    found = client.search_runs([experiment_id], f"tags.`{tag}` = '{value}'", max_results=1)
    return found[0].info.run_id if found else None


def known_run(client: MlflowClient, run_id: str) -> bool:
    """Whether the store has a run, and nobody has deleted it."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_run(run_id).info.lifecycle_stage) == "active"
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False


def begun_run(client: MlflowClient, uri: str, run_id: str, *, missing_ok: bool) -> RunPlace | None:
    """A run that somebody has begun, taken over in its own experiment and under its own name.

    Args:
        missing_ok: give None where it is not there.

    Raises:
        TrackError: it is not there.
    """
    if not known_run(client, run_id):
        if missing_ok:
            return None
        raise TrackError(
            f"MLFLOW_RUN_ID names run {run_id}, which is not in {shown(uri)}: "
            "unset it, or set MLFLOW_TRACKING_URI to the store that run is in"
        )
    client.update_run(run_id, status="RUNNING")
    found = client.get_experiment(client.get_run(run_id).info.experiment_id)
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
