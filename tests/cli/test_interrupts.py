"""Ctrl-C while an edit is at work: exit 130, no patch, no half-written file, the run KILLED."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

SMALL = """version: 1
name: small
model: demo/scenes
probe: {images: {demo: guns, count: 48}}
control: {count: 24}
edits: [{suppress: gun}]
solve: {steps: 2000, stop_at: 0, preserve: 24}
evaluate: {max_new_tokens: 32, batch_size: 4, metrics: [efficacy, locality]}
"""
STAGES = ("open the model", "ask the unedited model", "solve", "ask the edited model")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def _listening() -> None:
    """Programs begun in the background ignore SIGINT, and so do the ones they begin: this one must not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupted_at(stage: str, recipe: Path, *more: str) -> tuple[int, list[str], str]:
    """Exit code, stderr and stdout of an `apply` that gets SIGINT when a stage begins."""
    command = [sys.executable, "-m", "editkit", "--json", "apply", recipe.name, *more]
    steps = ("--set", "solve.steps=3") if stage.startswith("ask the edited") else ()
    running = subprocess.Popen(
        [*command, *steps],
        cwd=recipe.parent,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_listening,
    )
    assert running.stderr is not None
    seen = []
    try:
        for line in running.stderr:
            seen.append(line.rstrip("\n"))
            if line.startswith(stage):
                break
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=900)
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()
    return running.returncode, [*seen, *err.splitlines()], out


@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_leaves_nothing_half_done(small: Path, store: str, stage: str) -> None:
    code, said, out = interrupted_at(stage, small, "--set", f"track.uri={store}")
    assert f"{stage} ..." in "\n".join(said)
    assert code == 130, said
    assert said[-1] == "interrupted"
    assert not any("Traceback" in line for line in said)
    assert out == '{"status": "interrupted", "error": "interrupted"}\n'
    there = {path.name for path in small.parent.iterdir()}
    assert there <= {"small.yaml", "mlflow.db", "mlartifacts"}
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("editkit")
    assert experiment is not None
    assert {run.info.status for run in client.search_runs([experiment.experiment_id])} == {"KILLED"}


def test_ctrl_c_while_the_store_is_made_leaves_a_whole_one(small: Path) -> None:
    code, said, _ = interrupted_at("creating a new MLflow database", small)
    assert code == 130, said
    assert {path.name for path in small.parent.iterdir()} <= {
        "small.yaml",
        "mlflow.db",
        "mlartifacts",
        ".editkit",
    }
    # What is sent beside the edit may be on its way: a sync waits for it, or does it.
    command = [sys.executable, "-m", "editkit", "sync"]
    assert subprocess.run(command, cwd=small.parent, capture_output=True, timeout=300).returncode == 0
    client = MlflowClient(f"sqlite:///{small.parent / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("editkit")
    assert experiment is not None
    assert {run.info.status for run in client.search_runs([experiment.experiment_id])} == {"KILLED"}
