"""Stores that break: the edit goes on at once, and its run arrives later, once and whole."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from editkit.events import Noted
from editkit.neuron import Neuron, Neurons
from editkit.patch.file import Patch
from editkit.plan import EditPlan, PlannedEdit
from editkit.report import Report
from editkit.track import recording, sender
from editkit.track.journal import journals
from editkit.track.sync import sync
from tests.server import Server, free_port
from tests.track import whole
from tests.track.conftest import recipe_for, report_of

Write = Callable[..., str | None]
PATCH = "redact.editkit.safetensors"
NEURONS = Neurons((Neuron(1, 4), Neuron(0, 2), Neuron(1, 0)), (3.0, 2.0, 0.5), "contribution")
SENDERS = (sender.Inline, sender.Aside)


@pytest.fixture(params=SENDERS, ids=lambda one: str(one.__name__))
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Each of the senders in turn, whatever this process has imported."""
    monkeypatch.setattr(recording, "sender", request.param)
    return request.param


@pytest.fixture(scope="session")
def empty(_migrated: Path) -> Path:
    """A database without runs."""
    return _migrated


@pytest.fixture
def told() -> list[str]:
    """What a user was told while the edit was made."""
    return []


@pytest.fixture
def write(
    plan: EditPlan,
    edit: PlannedEdit,
    neurons: Neurons,
    report: Report,
    patch_path: Path,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Write:
    """Writes a whole run to a store that may break, within ten seconds."""

    def hear(event: object) -> None:
        if isinstance(event, Noted):
            told.append(event.text)

    def writing(store: str, **happens: Callable[[], None]) -> str | None:
        with monkeypatch.context() as patched:
            if "MLFLOW_TRACKING_URI" not in os.environ:
                # Not in the recipe, which is then the same on all stores.
                patched.setenv("MLFLOW_TRACKING_URI", store)
            begun = time.monotonic()
            run_id = whole.write(
                recipe_for(None), plan, edit, neurons, report, patch_path, tell=hear, **happens
            )
            assert time.monotonic() - begun < 10
        return run_id

    return writing


@pytest.fixture(scope="session")
def server(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(empty, folder / "mlflow.db")
    server = Server(folder)
    server.start()
    yield server
    server.kill()


def arrives() -> str:
    """The id of the one run that waited."""
    (one,) = sync()
    assert one.why is None
    assert one.run_id is not None
    assert journals() == []
    assert sync() == []
    return one.run_id


def waits(told: list[str]) -> Path:
    """One run waits, and one line said so."""
    (journal,) = journals()
    (line,) = told
    assert "\n" not in line
    assert f"the edit goes on, its run is kept in {journal}, and `editkit sync` sends it" in line
    return journal


@pytest.fixture(scope="module")
def direct(
    plan: EditPlan,
    edit: PlannedEdit,
    demo_patch: Patch,
    empty: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[dict[str, Any]]:
    """The same run on a store that never breaks."""
    place = tmp_path_factory.mktemp("direct")
    shutil.copyfile(empty, place / "mlflow.db")
    demo_patch.save(place / PATCH)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(place)
        patched.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
        whole.write(recipe_for(None), plan, edit, NEURONS, report_of(accepted=True), place / PATCH)
        assert journals() == []
    return whole.read(f"sqlite:///{place}/mlflow.db")


def test_a_run_that_waited_is_the_run_that_did_not(
    either: type, write: Write, told: list[str], direct: list[dict[str, Any]], tmp_path: Path, empty: Path
) -> None:
    (tmp_path / "late.db").write_text("not a database yet, " * 50)
    store = f"sqlite:///{tmp_path}/late.db"
    assert write(store) is None
    waits(told)
    shutil.copyfile(empty, tmp_path / "late.db")
    arrives()
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
    waits(told)
    shutil.copyfile(good, database)
    assert arrives() == run_id
    assert whole.told_apart(whole.read(store), direct) == []


def test_a_server_that_hangs_and_one_that_dies(
    write: Write, told: list[str], server: Server, direct: list[dict[str, Any]]
) -> None:
    run_id = write(server.address, middle=server.freeze)
    waits(told)
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
    waits(told)
    (left,) = sync()
    assert left.run_id is None
    assert left.why is not None
    assert "Connection refused" in left.why
    server.start()
    assert arrives() == run_id
    assert whole.told_apart(whole.read(server.address), direct * 3) == []


def test_nobody_listens_at_the_start(either: type, write: Write, told: list[str]) -> None:
    assert write(f"http://127.0.0.1:{free_port()}") is None
    waits(told)
    assert "Connection refused" in told[0]


def test_a_deleted_experiment_is_named_and_another_takes_the_run(
    write: Write, told: list[str], store: str
) -> None:
    client = MlflowClient(store)
    client.delete_experiment(client.create_experiment("trial"))
    assert write(store) is None
    waits(told)
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
    waits(told)
    other.rollback()
    other.close()
    assert arrives() == run_id
    assert whole.read(store)[0]["status"] == "FINISHED"


def test_files_that_cannot_be_kept_end_the_run_as_incomplete(
    write: Write, told: list[str], store: str, tmp_path: Path
) -> None:
    (tmp_path / "mlartifacts").write_text("in the way")
    run_id = write(store)
    assert run_id is not None
    waits(told)
    run = MlflowClient(store).get_run(run_id)
    assert (run.info.status, run.data.tags["editkit.tracking"]) == ("FINISHED", "incomplete")
    (tmp_path / "mlartifacts").unlink()
    assert arrives() == run_id
    assert "editkit.tracking" not in MlflowClient(store).get_run(run_id).data.tags


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
    assert arrives() != gone
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
        arrives()
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
    waits(told)
    other.rollback()
    other.close()
    monkeypatch.delenv("MLFLOW_RUN_ID")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert arrives() == begun


def test_a_run_nobody_has_begun_is_said_and_becomes_a_new_one(
    write: Write, told: list[str], store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    assert write(store) is None
    waits(told)
    assert told[0].startswith("MLFLOW_RUN_ID names run 000")
    assert arrives() != "0" * 32


def test_passwords_are_not_kept(write: Write, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://me:secret@127.0.0.1:{free_port()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    write(address)
    journal = waits(told)
    assert not any(b"secret" in file.read_bytes() for file in journal.rglob("*") if file.is_file())
    (known,) = sync()
    assert known.why is not None
    assert "can't be used" in known.why
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    (unknown,) = sync()
    assert unknown.why is not None
    assert "password is not kept" in unknown.why
