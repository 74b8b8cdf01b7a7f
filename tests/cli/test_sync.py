"""Real processes whose store breaks, and `editkit sync` afterwards."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from editkit.patch.file import Patch
from tests.cli.test_apply import SMALL
from tests.server import free_port

ROOT = Path(__file__).parents[2]
PATCH = "small.editkit.safetensors"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def started(
    folder: Path, *words: str, prepare: Callable[[], None] | None = None, **environment: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "editkit", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=prepare,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> str:
    """What it said on stderr; its edit is rejected, since it is far too small."""
    _, said = process.communicate()
    assert process.returncode == 3, said
    assert "Traceback" not in said
    return said


def lines(said: str) -> list[str]:
    return [line for line in said.splitlines() if "the edit goes on" in line]


def test_a_server_that_is_down_costs_an_edit_nothing_and_gets_its_run(
    call: Any, small: Path, store: str, tmp_path: Path
) -> None:
    """The server's address is what is wrong here: `--to` names another store."""
    address = f"http://127.0.0.1:{free_port()}"
    said = finished(started(tmp_path, "apply", "small.yaml", MLFLOW_TRACKING_URI=address))
    (line,) = lines(said)
    assert f"{address} can't be used (<urlopen error [Errno 111] Connection refused>)" in line
    assert Patch.load(tmp_path / PATCH).digest

    answer = call("sync")
    assert answer.code == 1
    assert answer.err.startswith("small stays in ")
    assert "Connection refused" in answer.err
    answer = call("--json", "sync", "--to", store, "--experiment", "late")
    assert answer.code == 0
    assert answer.document["left"] == []
    (one,) = answer.document["synced"]
    assert (one["name"], one["experiment"], one["store"]) == ("small", "late", store)
    run = MlflowClient(store).get_run(one["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.tags["editkit.patch_digest"] == Patch.load(tmp_path / PATCH).digest
    assert not (tmp_path / ".editkit" / "spool").exists()
    answer = call("sync")
    assert (answer.code, answer.out, answer.err) == (0, "", "nothing waits here\n")


def limited(size: int) -> Callable[[], None]:
    """No file can grow beyond that many bytes: what a full disk does, for one process and its children."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_store_on_a_full_disk(call: Any, small: Path, store: str, tmp_path: Path) -> None:
    full = limited((tmp_path / "mlflow.db").stat().st_size)
    said = finished(started(tmp_path, "apply", "small.yaml", prepare=full, MLFLOW_TRACKING_URI=store))
    (line,) = lines(said)
    assert "broke off" in line
    assert Patch.load(tmp_path / PATCH).digest
    answer = call("-q", "sync")
    assert answer.code == 0, answer.err
    run = MlflowClient(store).get_run(answer.out.strip())
    assert run.info.status == "FINISHED"
    assert run.data.tags["editkit.verdict"] == "rejected"
    assert "editkit.tracking" not in run.data.tags


@pytest.mark.parametrize("there", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_two_edits_at_once_share_a_database(
    there: bool, small: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A folder of MLflow's older kind lies beside them, which must not be taken for the store."""
    (tmp_path / "mlruns" / "0").mkdir(parents=True)
    (tmp_path / "mlruns" / "0" / "meta.yaml").write_text("name: Default\n")
    if there:
        shutil.copyfile(request.getfixturevalue("_migrated"), tmp_path / "mlflow.db")
    both = [started(tmp_path, "apply", "small.yaml", "-o", f"{name}{PATCH}") for name in ("a", "b")]
    assert [lines(finished(one)) for one in both] == [[], []]
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("editkit").experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert [run.info.status for run in parents] == ["FINISHED"] * 2
    assert all(run.data.tags["editkit.verdict"] == "rejected" for run in parents)
    assert sorted(path.name for path in (tmp_path / "mlruns").rglob("*")) == ["0", "meta.yaml"]
    assert not (tmp_path / ".editkit").exists()
