"""The edited model in MLflow's registry: a version for each edit, and aliases that say which is to be used.

`candidate` is the newest edit. `accepted` and `rejected` follow what people decided, and the verdicts of
recipes as long as nobody has decided: a verdict never takes an alias from what a person chose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from editkit.recipe import Recipe
from editkit.report import Report
from editkit.track import models
from editkit.track.journal import Entry, sendable
from editkit.track.store import everything
from editkit.track.values import worst
from editkit.track.words import verdict_line

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from editkit.track.replay import Replay

Decision = Literal["accepted", "rejected"]
DECISIONS: Final[tuple[Decision, ...]] = ("accepted", "rejected")
CANDIDATE: Final = "candidate"
VERDICT: Final = "editkit.verdict"
REVIEW: Final = "editkit.review"
REVIEWED_AT: Final = "editkit.reviewed_at"


def to_keep(
    recipe: Recipe,
    report: Report,
    patch_file: str,
    datasets: Mapping[str, models.DatasetName],
    *,
    sees: bool,
) -> dict[str, Any]:
    """What `kept` has to know of an edit, as plain data: it may be another process, on another day.

    Args:
        patch_file: its name among the run's files.
        datasets: see `models.figures`.
        sees: whether the model was asked about pictures.
    """
    given = recipe.track.registry
    return {
        "name": recipe.name,
        "patch": f"patch/{patch_file}",
        "chat": recipe.probe.chat,
        "new_tokens": recipe.evaluate.max_new_tokens,
        "sees": sees,
        "scores": models.figures(worst(report), datasets),
        "registered": recipe.name if given is True else given or None,
        "verdict": "accepted" if report.verdict.accepted else "rejected",
        "description": verdict_line(report),
    }


def kept(
    replay: Replay, client: MlflowClient, run_id: str, experiment_id: str, folder: Path, entry: Entry
) -> None:
    """Both models in the run, and the edited one in the registry; what fails of it is said and left out."""
    made: list[models.Edited] = []
    asked = entry["models"]
    patch_path = sendable(folder, entry["run"], asked["patch"])
    replay.attempt(
        "its models could not be kept",
        lambda: made.append(models.log_models(client, run_id, experiment_id, asked, patch_path, entry["at"])),
    )
    if made and asked["registered"]:
        replay.attempt("its model could not be registered", lambda: register(client, run_id, asked, made[0]))


def register(client: MlflowClient, run_id: str, asked: Mapping[str, Any], edited: models.Edited) -> None:
    """A new version of the registered model, or the one that the run has, with its aliases."""
    from mlflow.exceptions import MlflowException

    name = asked["registered"]
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    for earlier in client.search_model_versions(f"run_id='{run_id}'"):
        client.delete_model_version(earlier.name, str(earlier.version))
    version = client.create_model_version(
        name,
        edited.location,
        run_id=run_id,
        tags={**edited.tags, VERDICT: asked["verdict"]},
        description=asked["description"],
        await_creation_for=5,
        model_id=edited.model_id,
    )
    models.link_version(client, edited.model_id, name, str(version.version))
    client.set_tag(run_id, "editkit.registered", f"{name}/{version.version}")
    settle(client, name)


def settle(client: MlflowClient, name: str) -> None:
    """Put every alias of a registered model where it belongs."""
    found = everything(lambda token: client.search_model_versions(f"name='{name}'", page_token=token))
    wanted = aliases(found)
    now = aliases_now(client, name)
    for alias in (CANDIDATE, *DECISIONS):
        if alias in wanted and now.get(alias) != wanted[alias]:
            client.set_registered_model_alias(name, alias, wanted[alias])
        elif alias in now and alias not in wanted:
            client.delete_registered_model_alias(name, alias)


def aliases_now(client: MlflowClient, name: str) -> dict[str, str]:
    """Alias -> version number, which is a number in a database and text from a server."""
    found = client.get_registered_model(name).aliases
    return {alias: str(number) for alias, number in found.items()}


def aliases(versions: Iterable[ModelVersion]) -> dict[str, str]:
    """Alias -> version number. Of several with the same decision, the latest decision counts."""
    edits = sorted((one for one in versions if VERDICT in one.tags), key=lambda one: int(one.version))
    found = {CANDIDATE: str(edits[-1].version)} if edits else {}
    for decision in DECISIONS:
        chosen = sorted(
            (one for one in edits if one.tags.get(REVIEW) == decision), key=lambda one: one.tags[REVIEWED_AT]
        )
        judged = [one for one in edits if REVIEW not in one.tags and one.tags[VERDICT] == decision]
        if chosen or judged:
            found[decision] = str((chosen or judged)[-1].version)
    return found


def version_of(client: MlflowClient, registered: str) -> ModelVersion | None:
    """The version that a run's tag `editkit.registered` names; None where somebody has deleted it."""
    from mlflow.exceptions import MlflowException

    name, _, number = registered.rpartition("/")
    try:
        return client.get_model_version(name, number)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
