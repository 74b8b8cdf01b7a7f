"""Versions and aliases in a real registry, and what is left when it fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from editkit.events import Noted
from editkit.recipe import Recipe, parse_recipe
from editkit.report import Report
from editkit.track import registry
from editkit.track.run import open_run
from tests.track.conftest import report_of


def version(number: int, verdict: str | None, review: str | None = None, at: str = "") -> Any:
    tags = {"editkit.verdict": verdict, "editkit.review": review, "editkit.reviewed_at": at or None}
    return SimpleNamespace(version=str(number), tags={key: value for key, value in tags.items() if value})


@pytest.mark.parametrize(
    ("versions", "wanted"),
    [
        ([], {}),
        ([version(1, None)], {}),
        ([version(1, "accepted")], {"candidate": "1", "accepted": "1"}),
        (
            [version(10, "rejected"), version(9, "accepted"), version(2, "accepted")],
            {"candidate": "10", "accepted": "9", "rejected": "10"},
        ),
        (  # what a person rejected falls back to the edit before
            [version(1, "accepted"), version(2, "accepted", "rejected", "2026-01-01")],
            {"candidate": "2", "accepted": "1", "rejected": "2"},
        ),
        (  # a verdict takes nothing from what a person chose
            [version(1, "rejected", "accepted", "2026-01-01"), version(2, "accepted")],
            {"candidate": "2", "accepted": "1"},
        ),
        (  # of two that people chose, the later choice
            [
                version(1, "accepted", "accepted", "2026-01-02"),
                version(2, "accepted", "accepted", "2026-01-01"),
            ],
            {"candidate": "2", "accepted": "1"},
        ),
    ],
)
def test_which_version_has_which_alias(versions: list[Any], wanted: dict[str, str]) -> None:
    assert registry.aliases(versions) == wanted


def finished(recipe: Recipe, report: Report, patch_path: Path, told: list[object] | None = None) -> str:
    heard = [] if told is None else told
    with open_run(recipe, heard.append) as run:
        run.finish(report, patch_path)
    assert run.run_id is not None
    return run.run_id


def test_every_edit_is_a_version_and_the_aliases_follow(
    recipe: Recipe, store: str, report: Report, rejected: Report, patch_path: Path
) -> None:
    run_id = finished(recipe, report, patch_path)
    finished(recipe, rejected, patch_path)
    client = MlflowClient(store)
    assert registry.aliases_now(client, "redact") == {
        "candidate": "2",
        "accepted": "1",
        "rejected": "2",
    }
    first = client.get_model_version("redact", "1")
    assert first.run_id == run_id
    assert first.tags["editkit.verdict"] == "accepted"
    assert first.tags["editkit.base"] == "demo/scenes"
    assert {"editkit.recipe_digest", "editkit.patch_digest", "editkit.base_config"} <= set(first.tags)
    assert first.description.startswith("**Accepted.**")
    assert client.get_run(run_id).data.tags["editkit.registered"] == "redact/1"
    (model,) = client.search_logged_models(
        [client.get_run(run_id).info.experiment_id], f"source_run_id = '{run_id}' AND name = 'redact-after'"
    )
    assert model.tags["mlflow.modelVersions"] == '[{"name": "redact", "version": "1"}]'


@pytest.mark.parametrize(("asked", "names"), [("false", []), ("team.redact", ["team.redact"])])
def test_the_recipe_says_whether_and_under_which_name(
    recipe: Recipe, store: str, report: Report, patch_path: Path, asked: str, names: list[str]
) -> None:
    finished(parse_recipe(recipe.written, overrides=[f"track.registry={asked}"]), report, patch_path)
    assert [one.name for one in MlflowClient(store).search_registered_models()] == names


def test_a_registry_that_fails_loses_neither_run_nor_models(
    recipe: Recipe, store: str, report: Report, patch_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, *args: object, **kwargs: object) -> None:
        raise MlflowException("no registry here\nand more of it")

    monkeypatch.setattr(MlflowClient, "create_model_version", refuse)
    told: list[object] = []
    run_id = finished(recipe, report, patch_path, told)
    (note,) = [event for event in told if isinstance(event, Noted)]
    assert note.warning
    assert note.text == (
        f"the edit is tracked, but its model could not be registered in {store} (no registry here)"
    )
    run = MlflowClient(store).get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["editkit.verdict"] == "accepted"
    assert "editkit.tracking" not in run.data.tags
    assert len(run.outputs.model_outputs) == 1


def test_models_that_cannot_be_kept_are_not_registered(
    recipe: Recipe, store: str, patch_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, *args: object, **kwargs: object) -> None:
        raise MlflowException("a server of old")

    monkeypatch.setattr(MlflowClient, "create_logged_model", refuse)
    told: list[object] = []
    run_id = finished(recipe, report_of(accepted=True), patch_path, told)
    assert [event.text.partition(" in sqlite")[0] for event in told if isinstance(event, Noted)] == [
        "the edit is tracked, but its models could not be kept"
    ]
    assert MlflowClient(store).get_run(run_id).info.status == "FINISHED"
    assert MlflowClient(store).search_registered_models() == []
