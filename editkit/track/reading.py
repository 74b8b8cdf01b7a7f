"""Edits that were made before, read from their runs: the newest first, or the one that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from editkit.errors import TrackError, UsageError
from editkit.events import nobody
from editkit.track.registry import REVIEW, VERDICT
from editkit.track.store import connect, database_of, everything, quiet, shown, store_uri, unusable

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PATCH: Final = "editkit.patch_digest"
PAGE: Final = 1000


@dataclass(frozen=True)
class Edit:
    """One edit: what its run says of it.

    Attributes:
        verdict: what the recipe's `accept` made of it.
        review: what a person decided, None where nobody has.
        scores: every score of the worst edit, after it.
        made: when it was begun.
        registered: `name/version` in the registry, None where it is not there.
    """

    run_id: str
    name: str
    experiment: str
    verdict: str
    review: str | None
    reviewed_by: str | None
    scores: Mapping[str, float]
    patch_digest: str
    made: datetime
    registered: str | None


def edits(uri: str | None, experiment: str | None = None) -> list[Edit]:
    """Every edit of a store, or of one experiment, the newest first; scored runs without a patch are none.

    Raises:
        TrackError: the store can't be used, or has no such experiment.
    """
    with reading(uri) as (client, where):
        names = {id: name for id, name in _experiments(client).items() if experiment in (None, name)}
        if not names and experiment is not None:
            raise TrackError(f"no experiment {experiment!r} in {shown(where)}")
        found = _search(client, names, f"tags.`{VERDICT}` LIKE '%' AND tags.`{PATCH}` LIKE '%'")
        return [_edit(run, names[run.info.experiment_id]) for run in found]


def run_of(client: MlflowClient, where: str, run_id: str) -> Run:
    """The run of an edit by its id, or by how its id begins.

    Raises:
        UsageError: no such run, several, or one that is no edit's.
    """
    if re.fullmatch(r"[0-9a-f]{1,32}", run_id) is None:
        raise UsageError(f"{run_id!r:.60}: no run id: those are 32 digits from 0 to f (`editkit runs`)")
    found = _search(client, _experiments(client), f"attributes.run_id LIKE '{run_id}%'")
    if not found:
        raise UsageError(f"{run_id}: no such run in {shown(where)} (`editkit runs` lists the edits)")
    if len(found) > 1:
        raise UsageError(f"{run_id}: {len(found)} runs begin with that: give more of the id")
    (run,) = found
    if VERDICT not in run.data.tags or PATCH not in run.data.tags:
        parent = run.data.tags.get("mlflow.parentRunId")
        hint = f": it is a part of run {parent}" if parent else ""
        raise UsageError(f"{run_id}: not the run of a finished edit{hint}")
    return run


@contextmanager
def reading(uri: str | None) -> Iterator[tuple[MlflowClient, str]]:
    """A client of a store that is there already, and its address.

    Raises:
        TrackError: there is none, it can't be used, or breaks within the block.
    """
    from mlflow.exceptions import MlflowException

    where = store_uri(uri)
    database = database_of(where)
    if database is not None and not Path(database).is_file():
        raise TrackError(f"{where}: no runs yet; run `editkit apply` first, or name their store with --uri")
    with quiet():
        client = connect(where, nobody)
        try:
            yield client, where
        except MlflowException as error:
            raise unusable(where, error) from error


def _experiments(client: MlflowClient) -> dict[str, str]:
    """Id -> name."""
    found = everything(lambda token: client.search_experiments(max_results=PAGE, page_token=token))
    return {one.experiment_id: one.name for one in found}


def _search(client: MlflowClient, experiments: Iterable[str], what: str) -> list[Run]:
    """Runs, the newest first."""
    ids, newest = list(experiments), ["attributes.start_time DESC"]
    if not ids:
        return []
    return everything(
        lambda token: client.search_runs(ids, what, max_results=PAGE, order_by=newest, page_token=token)
    )


def _edit(run: Run, experiment: str) -> Edit:
    tags, metrics = run.data.tags, run.data.metrics
    return Edit(
        run_id=run.info.run_id,
        name=run.info.run_name,
        experiment=experiment,
        verdict=tags[VERDICT],
        review=tags.get(REVIEW),
        reviewed_by=tags.get("editkit.reviewed_by"),
        scores={
            key.removesuffix("/after"): value for key, value in metrics.items() if key.endswith("/after")
        },
        patch_digest=tags[PATCH],
        made=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        registered=tags.get("editkit.registered"),
    )
