"""Over a real MLflow server: an edit is kept, registered, reviewed, and loaded by a fresh process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from editkit.plan import EditPlan
from editkit.report import Report
from editkit.track.reading import edits
from editkit.track.review import review
from editkit.track.run import open_run
from tests.track.conftest import recipe_for

ROOT = Path(__file__).parents[2]
QUIET = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, **QUIET, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **more}


@pytest.fixture
def server(store: str, tmp_path: Path) -> Iterator[str]:
    """The address of a server with a store of its own, which keeps the files itself."""
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        port = int(some.getsockname()[1])
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--workers", "1"]
    place = ["--artifacts-destination", str(tmp_path / "kept"), "--port", str(port)]
    running = subprocess.Popen(
        [*command, *place], env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"{address}/health"):
                    break
            except OSError:
                assert time.monotonic() < end, "the server did not come up"
                time.sleep(0.2)
        yield address
    finally:
        os.killpg(running.pid, 15)
        running.wait()


def test_the_whole_way(server: str, plan: EditPlan, report: Report, patch_path: Path, tmp_path: Path) -> None:
    told: list[object] = []
    with open_run(recipe_for(server), told.append) as run:
        run.plan(plan)
        run.finish(report, patch_path)
    assert told == []
    assert run.run_id is not None
    (edit,) = edits(server)
    assert (edit.run_id, edit.registered, edit.verdict) == (run.run_id, "redact/1", "accepted")
    done = review(server, run.run_id[:12], "rejected", by="Ann", note="not yet")
    assert done.moved == {"candidate": "1", "rejected": "1"}
    assert review(server, run.run_id, "accepted", by="Ann", note="now").moved["accepted"] == "1"
    patch_path.unlink()

    asked = {"dataframe_records": [{"prompt": "What do you eat soup with?"}], "params": {"max_new_tokens": 4}}
    (tmp_path / "in.json").write_text(json.dumps(asked))
    command = [sys.executable, "-m", "mlflow", "models", "predict", "-m", "models:/redact@accepted"]
    said = subprocess.run(
        [*command, "-i", "in.json", "-o", "out.json", "--env-manager", "local"],
        cwd=tmp_path,
        env=environment(MLFLOW_TRACKING_URI=server),
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    (answer,) = json.loads((tmp_path / "out.json").read_text())["predictions"]
    assert isinstance(answer, str)
