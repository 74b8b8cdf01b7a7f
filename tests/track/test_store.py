"""Stores that can't be used are told in one sentence, at once."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from editkit.events import Noted
from editkit.recipe import Recipe, parse_recipe
from editkit.track.journal import journals
from editkit.track.run import open_run
from editkit.track.store import DEFAULT_URI, artifact_location, first_line, shown, store_uri


def line(recipe: Recipe) -> str:
    """What is said of a store that can't be used; the work is done all the same."""
    told: list[object] = []
    done = False
    with open_run(recipe, told.append):
        done = True
    assert done
    assert len(journals()) == 1
    (note,) = told
    assert isinstance(note, Noted)
    assert note.warning
    assert "\n" not in note.text
    assert note.text.endswith(f"its run is kept in {journals()[0]}, and `editkit sync` sends it")
    return note.text


def with_uri(uri: str) -> Recipe:
    return parse_recipe(
        "{version: 1, name: x, model: demo/scenes, probe: {prompts: [Hi]}, edits: [{suppress: gun}], "
        f'track: {{uri: "{uri}"}}}}'
    )


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_never_answers_costs_seconds(silent_port: int) -> None:
    begun = time.monotonic()
    assert f"http://127.0.0.1:{silent_port} can't be used (timed out)" in line(
        with_uri(f"http://127.0.0.1:{silent_port}")
    )
    assert time.monotonic() - begun < 10


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "nowhere").write_text("a file")
    assert "can't be used" in line(with_uri(f"sqlite:///{tmp_path}/nowhere/mlflow.db"))


def test_a_database_that_is_a_folder_costs_no_minutes(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").mkdir()
    begun = time.monotonic()
    assert "unable to open database file" in line(with_uri(f"sqlite:///{tmp_path}/mlflow.db"))
    assert time.monotonic() - begun < 10


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("dear diary, " * 100)
    assert "file is not a database" in line(with_uri(f"sqlite:///{tmp_path}/mlflow.db"))


def test_an_address_of_no_kind() -> None:
    assert "can't be used" in line(with_uri("carrier-pigeon://loft"))


def test_passwords_are_not_shown() -> None:
    error = OSError("API request to http://me:secret@host/api failed " + "again " * 50 + "\nmore")
    assert first_line(error).startswith("API request to http://***@host/api failed again")
    assert len(first_line(error)) <= 140
    assert first_line(OSError()) == "OSError"
    assert shown("https://me:secret@host/path") == "https://***@host/path"
    assert shown("sqlite:///mlflow.db") == "sqlite:///mlflow.db"


def test_which_store(monkeypatch: pytest.MonkeyPatch) -> None:
    assert store_uri(None) == DEFAULT_URI
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://there")
    assert store_uri(None) == "http://there"
    assert store_uri("http://here") == "http://here"
    monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
    assert store_uri("http://here") == "http://there"


def test_files_lie_beside_a_local_database_only(tmp_path: Path) -> None:
    inside = artifact_location(f"sqlite:///{tmp_path}/a.db", "my words/1")
    assert inside == (tmp_path / "mlartifacts" / "my_words_1").as_uri()
    assert artifact_location("http://host:5000", "x") is None


SCRIPT = """
from editkit.recipe import parse_recipe
from editkit.track.journal import journals
from editkit.track.run import open_run
recipe = parse_recipe("{version: 1, name: x, model: m, probe: {prompts: [Hi]}, edits: [{suppress: gun}]}")
with open_run(recipe):
    pass
"""


def started(folder: Path) -> subprocess.Popen[str]:
    """A run in a process of its own: banners, migrations and logs would show on its screen."""
    return subprocess.Popen(
        [sys.executable, "-W", "error::UserWarning", "-c", SCRIPT],
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "", "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("_migrated")  # imports MLflow's store, which warns about its own dependencies
def test_fresh_stores_are_made_in_silence_by_two_at_once(tmp_path: Path) -> None:
    legacy = tmp_path / "mlruns" / "0"
    legacy.mkdir(parents=True)
    (legacy / "meta.yaml").write_text("experiment_id: '0'\nname: Default\n")
    both = [started(tmp_path), started(tmp_path)]
    assert [running.communicate() for running in both] == [("", "")] * 2
    assert [running.returncode for running in both] == [0, 0]
    assert {path.name for path in tmp_path.iterdir()} == {".config", "mlartifacts", "mlflow.db", "mlruns"}
    assert sorted(path.name for path in (tmp_path / "mlruns").iterdir()) == ["0"], "left alone"
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("editkit")
    assert experiment is not None
    assert len(client.search_runs([experiment.experiment_id])) == 2
