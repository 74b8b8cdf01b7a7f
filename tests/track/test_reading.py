from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient

from editkit.errors import UsageError
from editkit.recipe import Recipe, parse_recipe
from editkit.report import Report
from editkit.track.reading import edits, reading, run_of
from editkit.track.run import open_run


def test_edits_are_read_newest_first(
    recipe: Recipe, store: str, report: Report, rejected: Report, patch_path: Path
) -> None:
    other = parse_recipe(recipe.written, overrides=["track.experiment=other", "name=later"])
    for one, found in ((recipe, report), (other, rejected)):
        with open_run(one) as run:
            run.finish(found, patch_path)
    with open_run(recipe) as scored:
        scored.finish(report, None)
    later, earlier = edits(store)
    assert (later.name, later.experiment, later.verdict) == ("later", "other", "rejected")
    assert (earlier.name, earlier.verdict, earlier.review) == ("redact", "accepted", None)
    assert earlier.scores == {"efficacy": 0.97, "drift": 0.06}
    assert earlier.registered == "redact/1"
    assert earlier.made <= later.made
    assert edits(store, "trial") == [earlier]


def test_an_id_that_begins_two_runs_is_refused(store: str) -> None:
    client = MlflowClient(store)
    experiment = client.create_experiment("many")
    ids = [client.create_run(experiment).info.run_id for _ in range(17)]
    (twice, *_) = [head for head in "0123456789abcdef" if sum(one.startswith(head) for one in ids) > 1]
    with reading(store) as (found, where), pytest.raises(UsageError, match="begin with that"):
        run_of(found, where, twice)
