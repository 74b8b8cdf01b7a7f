"""Runs that waited: each arrives once, however it was left."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from editkit.events import Noted
from editkit.track.journal import journals
from editkit.track.sync import sync
from tests.server import free_port
from tests.track import whole
from tests.track.conftest import Write, recipe_for


def test_an_interrupted_sync_goes_on_and_makes_nothing_twice(
    write: Write,
    direct: list[dict[str, Any]],
    store: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    empty: Path,
) -> None:
    (tmp_path / "mlflow.db").unlink()
    (tmp_path / "mlflow.db").mkdir()
    assert write(store) is None
    (tmp_path / "mlflow.db").rmdir()
    shutil.copyfile(empty, tmp_path / "mlflow.db")
    calls = 0

    def interrupted(name: str) -> None:
        real = getattr(MlflowClient, name)

        def call(self: MlflowClient, *args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            answer = real(self, *args, **kwargs)
            if calls % 7 == 0:
                raise KeyboardInterrupt  # after the store has done it, before anybody knows
            return answer

        monkeypatch.setattr(MlflowClient, name, call)

    for name in ("log_batch", "log_artifact", "create_run", "log_inputs", "set_terminated", "log_outputs"):
        interrupted(name)
    interruptions = 0
    while journals():
        try:
            assert [one.why for one in sync()] == [None]
        except KeyboardInterrupt:
            interruptions += 1
    assert interruptions > 3
    assert whole.told_apart(whole.read(store), direct) == []


def test_a_store_that_forgot_the_run_gets_all_of_it_again(
    write: Write, direct: list[dict[str, Any]], store: str, tmp_path: Path, empty: Path
) -> None:
    def forgets() -> None:
        (tmp_path / "mlflow.db").write_bytes(b"no database any more, " * 5000)

    gone = write(store, middle=forgets)
    shutil.copyfile(empty, tmp_path / "mlflow.db")
    assert whole.arrives() != gone
    assert whole.told_apart(whole.read(store), direct) == []


def test_what_is_still_written_stays(write: Write, store: str, told: list[str]) -> None:
    notes: list[object] = []

    def meanwhile() -> None:
        assert sync(tell=notes.append) == []

    write(store, middle=meanwhile)
    (note,) = notes
    assert isinstance(note, Noted)
    assert "still being written" in note.text
    assert told == []


SCRIPT = """
import os, signal, sys
from editkit.events import Measured
from editkit.recipe import parse_recipe
from editkit.track.run import open_run
with open_run(parse_recipe(open("killed.yaml").read())) as run:
    run.metrics({"here": 1.0})
    for step in range(600):
        run.tell(Measured("loss/target", 0.5, step))
    if sys.argv[1] == "both":  # a power cut takes both
        os.kill(run._sink._recording.sender._process.pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["one", "both"])
def test_a_killed_process_leaves_a_run_that_is_marked(how: str, store: str, tmp_path: Path) -> None:
    (tmp_path / "killed.yaml").write_text(recipe_for(store).written)
    root = str(Path(__file__).parents[2])
    made = subprocess.run([sys.executable, "-c", SCRIPT, how], env={"PYTHONPATH": root, "PATH": ""})
    assert made.returncode == -9
    if how == "both":
        whole.arrives()
    else:  # the process that sends sees the other one go
        end = time.monotonic() + 60
        while journals() and time.monotonic() < end:
            time.sleep(0.2)
        assert journals() == []
    (run,) = whole.read(store)
    assert run["status"] == "KILLED"
    assert len(run["metrics"]["loss/target"]) >= 499


def test_a_run_of_mlflows_own_is_completed_where_it_is(
    write: Write, told: list[str], store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = MlflowClient(store)
    begun = client.create_run(client.create_experiment("trial", tmp_path.as_uri())).info.run_id
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.setenv("MLFLOW_RUN_ID", begun)
    other = sqlite3.connect(tmp_path / "mlflow.db")
    other.execute("BEGIN EXCLUSIVE")
    assert write("http://nowhere") is None
    whole.waits(told)
    other.rollback()
    other.close()
    monkeypatch.delenv("MLFLOW_RUN_ID")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert whole.arrives() == begun


def test_a_run_nobody_has_begun_is_said_and_becomes_a_new_one(
    write: Write, told: list[str], store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    assert write(store) is None
    whole.waits(told)
    assert told[0].startswith("MLFLOW_RUN_ID names run 000")
    assert whole.arrives() != "0" * 32


def test_passwords_are_not_kept(write: Write, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://me:secret@127.0.0.1:{free_port()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    write(address)
    journal = whole.waits(told)
    assert not any(b"secret" in file.read_bytes() for file in journal.rglob("*") if file.is_file())
    (known,) = sync()
    assert known.why is not None
    assert "can't be used" in known.why
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    (unknown,) = sync()
    assert unknown.why is not None
    assert "password is not kept" in unknown.why
