"""Stores that break: the edit goes on at once, and its run arrives later, once and whole."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from editkit.track.sync import sync
from tests.server import Server, free_port
from tests.track import whole
from tests.track.conftest import Write


def test_a_run_that_waited_is_the_run_that_did_not(
    either: type, write: Write, told: list[str], direct: list[dict[str, Any]], tmp_path: Path, empty: Path
) -> None:
    (tmp_path / "late.db").write_text("not a database yet, " * 50)
    store = f"sqlite:///{tmp_path}/late.db"
    assert write(store) is None
    whole.waits(told)
    shutil.copyfile(empty, tmp_path / "late.db")
    whole.arrives()
    assert whole.told_apart(whole.read(store), direct) == []


def test_a_store_that_breaks_in_the_middle_gets_the_rest_of_the_same_run(
    either: type, write: Write, told: list[str], direct: list[dict[str, Any]], store: str, tmp_path: Path
) -> None:
    database, good = tmp_path / "mlflow.db", tmp_path / "good.db"

    def breaks() -> None:
        with sqlite3.connect(database) as source, sqlite3.connect(good) as copy:
            source.backup(copy)
        database.write_bytes(b"no database any more, " * 5000)

    run_id = write(store, middle=breaks)
    assert run_id is not None
    whole.waits(told)
    shutil.copyfile(good, database)
    assert whole.arrives() == run_id
    assert whole.told_apart(whole.read(store), direct) == []


def test_a_server_that_hangs_and_one_that_dies(
    write: Write, told: list[str], server: Server, direct: list[dict[str, Any]]
) -> None:
    run_id = write(server.address, middle=server.freeze)
    whole.waits(told)
    told.clear()
    assert write(server.address) is None
    assert "can't be used" in told[0]
    server.thaw()
    first, second = sync()
    assert first.run_id == run_id
    assert second.why is None
    told.clear()

    run_id = write(server.address, middle=server.kill)
    assert run_id is not None
    whole.waits(told)
    (left,) = sync()
    assert left.run_id is None
    assert left.why is not None
    assert "Connection refused" in left.why
    server.start()
    assert whole.arrives() == run_id
    assert whole.told_apart(whole.read(server.address), direct * 3) == []


def test_nobody_listens_at_the_start(either: type, write: Write, told: list[str]) -> None:
    assert write(f"http://127.0.0.1:{free_port()}") is None
    whole.waits(told)
    assert "Connection refused" in told[0]


def test_a_deleted_experiment_is_named_and_another_takes_the_run(
    write: Write, told: list[str], store: str
) -> None:
    client = MlflowClient(store)
    client.delete_experiment(client.create_experiment("trial"))
    assert write(store) is None
    whole.waits(told)
    assert told[0].startswith(f"the experiment 'trial' in {store} is deleted: restore it")
    (left,) = sync()
    assert left.why is not None
    assert "is deleted" in left.why
    (one,) = sync(experiment="other")
    assert (one.why, one.experiment) == (None, "other")
    (run,) = whole.read(store, "other")
    assert run["status"] == "FINISHED"
    assert len(run["nested"]) == 2


def test_a_locked_database_costs_seconds(write: Write, told: list[str], store: str, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "mlflow.db")

    def lock() -> None:
        other.execute("BEGIN EXCLUSIVE")

    run_id = write(store, middle=lock)
    whole.waits(told)
    other.rollback()
    other.close()
    assert whole.arrives() == run_id
    assert whole.read(store)[0]["status"] == "FINISHED"


def test_files_that_cannot_be_kept_end_the_run_as_incomplete(
    write: Write, told: list[str], store: str, tmp_path: Path
) -> None:
    (tmp_path / "mlartifacts").write_text("in the way")
    run_id = write(store)
    assert run_id is not None
    whole.waits(told)
    run = MlflowClient(store).get_run(run_id)
    assert (run.info.status, run.data.tags["editkit.tracking"]) == ("FINISHED", "incomplete")
    (tmp_path / "mlartifacts").unlink()
    assert whole.arrives() == run_id
    assert "editkit.tracking" not in MlflowClient(store).get_run(run_id).data.tags
