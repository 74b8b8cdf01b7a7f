"""The model before and after an edit as MLflow's LoggedModels, each with its figures on each data set."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from editkit.patch.file import Patch
from editkit.report import Score
from editkit.track.pyfunc import settings, write_model
from editkit.track.values import allowed

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Metric

# A model whose weights are not MLflow's: its page then asks for no files.
EXTERNAL: Final = {"mlflow.model.isExternal": "true"}
NOTE: Final = "mlflow.note.content"
UNTOUCHED: Final = "The base, as it was before the edit. Its weights are not kept here."
LOADABLE: Final = (
    "The base with the patch in it: `mlflow.pyfunc.load_model(...)` fetches the base, checks it and writes "
    "the patch into it. It answers `prompt`, with an `image` (base64 or a file) where wanted."
)
DatasetName = tuple[str, str]


@dataclass(frozen=True)
class Edited:
    """The edited model in the store.

    Attributes:
        location: where its files are.
        tags: what belongs to every record of it: digests, base, revision.
    """

    model_id: str
    location: str
    tags: Mapping[str, str]


def figures(scores: Iterable[Score], datasets: Mapping[str, DatasetName]) -> list[dict[str, Any]]:
    """Scores as plain data, each with the data set it is of.

    Args:
        scores: one of each name.
        datasets: sort of case -> name and digest of the data set they are.
    """
    return [
        {
            "key": allowed(score.name),
            "before": None if score.before is None else score.before.value,
            "after": score.after.value,
            "dataset": datasets.get(score.of[0], (None, None)) if len(score.of) == 1 else (None, None),
        }
        for score in scores
    ]


def log_models(
    client: MlflowClient,
    run_id: str,
    experiment_id: str,
    asked: Mapping[str, Any],
    patch_path: Path,
    at: int,
) -> Edited:
    """Two models: the base, and the base with the patch, which can be loaded; with the same metrics each.

    What an interrupted attempt left in the run is replaced.

    Args:
        asked: see `registry.to_keep`.
        at: when the figures were measured, in milliseconds since 1970.
    """
    from mlflow.entities import LoggedModelInput, LoggedModelOutput, LoggedModelStatus
    from mlflow.models import Model

    patch = Patch.load(patch_path)
    revision = {} if patch.base.revision is None else {"editkit.base_revision": patch.base.revision}
    base = {"editkit.base": patch.base.id, **revision, "editkit.base_config": patch.base.config_digest}
    made = {
        **base,
        "editkit.recipe_digest": patch.provenance.recipe_digest,
        "editkit.patch_digest": patch.digest,
    }

    def new(suffix: str, kind: str, tags: Mapping[str, str]) -> LoggedModel:
        return client.create_logged_model(
            experiment_id,
            f"{asked['name']}-{suffix}",
            source_run_id=run_id,
            tags=dict(tags),
            params={"base": patch.base.id, "dtype": patch.base.dtype},
            model_type=kind,
        )

    for earlier in client.search_logged_models([experiment_id], f"source_run_id = '{run_id}'"):
        client.delete_logged_model(earlier.model_id)
    before = new("before", "base", {**base, **EXTERNAL, NOTE: UNTOUCHED})
    after = new("after", "edited", {**made, NOTE: LOADABLE})
    with TemporaryDirectory(prefix="editkit-") as place:
        folder = Path(place, "model")
        spec = Model(
            artifact_path=after.artifact_location,
            run_id=run_id,
            model_uuid=after.model_id,
            model_id=after.model_id,
        )
        config = settings(patch.base, asked["chat"])
        write_model(folder, spec, patch_path, config, asked["new_tokens"], sees=asked["sees"])
        client.log_model_artifacts(after.model_id, str(folder))
    for model in (before, after):
        client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_inputs(run_id, models=[LoggedModelInput(before.model_id)])
    client.log_outputs(run_id, [LoggedModelOutput(after.model_id, 0)])
    metrics = _metrics(asked["scores"], at, before.model_id, after.model_id)
    client.log_batch(run_id, metrics=metrics)
    return Edited(after.model_id, after.artifact_location, made)


def link_version(client: MlflowClient, model_id: str, name: str, number: str) -> None:
    """What a server does by itself: the model's page then links to its version in the registry."""
    linked = json.dumps([{"name": name, "version": number}])
    client.set_logged_model_tags(model_id, {"mlflow.modelVersions": linked})


def _metrics(scores: Iterable[Mapping[str, Any]], at: int, before: str, after: str) -> list[Metric]:
    """The same names for both models, so that they stand side by side.

    The run has each name too, and of two values at one step it shows the later one: the edited model's.
    """
    from mlflow.entities import Metric

    return [
        Metric(score["key"], score[side], moment, 0, model_id, *score["dataset"])
        for score in scores
        for side, model_id, moment in (("before", before, at), ("after", after, at + 1))
        if score[side] is not None and isfinite(score[side])
    ]
