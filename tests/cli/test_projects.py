"""`mlflow run` on the project that ships: as people and their schedulers call it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.cli.test_apply import SMALL

ROOT = Path(__file__).parents[2]
# Enough inputs and steps for an edit to be accepted.
ENOUGH = """version: 1
name: enough
model: demo/scenes
probe: {images: {demo: guns, count: 60}}
control: {count: 50}
edits: [{suppress: gun}]
locate: {top: 64, layers: [3]}
solve: {method: gradient, max_ratio: 4.0, steps: 150, preserve: 60}
evaluate: {max_new_tokens: 16, metrics: [efficacy, locality]}
accept: {efficacy: ">= 0.9", locality: ">= 0.9"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's own files, in a folder where an edit may write."""
    for name in ("MLproject", "python_env.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "enough.yaml").write_text(ENOUGH)
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "bad.yaml").write_text("version: 1\nname: bad\n")
    return tmp_path


def ran(project: Path, store: str, *words: str, manager: tuple[str, ...] = ("--env-manager", "local")) -> str:
    """What `mlflow run` said, with its exit code in front."""
    places = [str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": store,
        "PATH": os.pathsep.join(places),
        "PYTHONWARNINGS": "ignore",
    }
    if manager:
        environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "run", ".", *words, *manager, "--experiment-name", "projects"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
    )
    return f"{done.returncode} {done.stdout} {done.stderr}"


def runs(store: str) -> list[Run]:
    """All but nested ones, the newest first."""
    client = MlflowClient(store)
    found = client.search_runs([client.get_experiment_by_name("projects").experiment_id])
    return [run for run in found if "mlflow.parentRunId" not in run.data.tags]


def test_an_edit_is_kept_in_the_run_that_mlflow_has_begun(project: Path, store: str) -> None:
    said = ran(project, store, "-P", "recipe=enough.yaml")
    assert said.startswith("0 "), said
    (run,) = runs(store)
    assert f"'{run.info.run_id}'" in said
    assert run.info.status == "FINISHED"
    assert run.data.tags["editkit.verdict"] == "accepted"
    assert run.data.tags["mlflow.project.entryPoint"] == "main"
    assert run.data.params["recipe"] == "enough.yaml"
    assert run.data.params["recipe.name"] == "enough"
    assert (project / "enough.editkit.safetensors").is_file()
    assert not (project / ".editkit").exists()


@pytest.mark.slow
def test_what_does_not_meet_its_recipe_fails_with_all_its_figures(project: Path, store: str) -> None:
    assert ran(project, store, "-P", "recipe=small.yaml").startswith("1 ")
    (run,) = runs(store)
    assert run.info.status == "FAILED"
    assert run.data.tags["editkit.verdict"] == "rejected"
    assert "efficacy/after" in run.data.metrics
    # The patch is there to be looked at, and to be evaluated again.
    said = ran(
        project, store, "-e", "evaluate",
        "-P", "change=small.editkit.safetensors", "-P", "recipe=small.yaml",
    )  # fmt: skip
    assert said.startswith("1 "), said
    again, _ = runs(store)
    assert again.data.tags["mlflow.project.entryPoint"] == "evaluate"
    assert again.data.metrics["efficacy/after"] == run.data.metrics["efficacy/after"]


@pytest.mark.parametrize("entry", ["main", pytest.param("validate", marks=pytest.mark.slow)])
def test_a_bad_recipe_ends_the_run_as_failed(project: Path, store: str, entry: str) -> None:
    said = ran(project, store, "-e", entry, "-P", "recipe=bad.yaml")
    assert said.startswith("1 ")
    assert "bad.yaml" in said
    (run,) = runs(store)
    assert run.info.status == "FAILED"
    missing = ran(project, store, "-e", entry, "-P", "recipe=nowhere.yaml")
    assert missing.startswith("1 ")
    assert [run.info.status for run in runs(store)] == ["FAILED"] * 2


@pytest.mark.slow
def test_the_default_environment_is_built_and_used(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some minutes: MLflow has pyenv find Python, and pip install the project with all it needs."""
    project = tmp_path / "project"
    shutil.copytree(
        ROOT, project, ignore=shutil.ignore_patterns(".venv", ".git", "*_cache", "shared", "tests", "mlruns")
    )
    (project / "enough.yaml").write_text(ENOUGH)
    monkeypatch.setenv("MLFLOW_ENV_ROOT", str(tmp_path / "environments"))
    said = ran(project, store, "-P", "recipe=enough.yaml", manager=())
    assert said.startswith("0 "), said[-4000:]
    (run,) = runs(store)
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.project.env"] == "virtualenv"
    assert run.data.tags["editkit.verdict"] == "accepted"
