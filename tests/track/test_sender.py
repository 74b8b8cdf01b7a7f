"""The process that sends: it keeps MLflow out of the edit's own, and what kills it is said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from editkit.events import Measured, Noted
from editkit.track import recording, sender
from editkit.track.journal import journals
from editkit.track.run import Run, open_run
from tests.track import whole
from tests.track.conftest import recipe_for

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from editkit.recipe import parse_recipe
from editkit.track.run import open_run
with open_run(parse_recipe(open("recipe.yaml").read())) as run:
    run.metrics({"here": 1.0})
assert run.run_id is not None
assert "mlflow" not in sys.modules and "torch" not in sys.modules
"""


def test_the_edits_own_process_never_imports_mlflow(store: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(recipe_for(store).written)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (run,) = whole.read(store)
    assert run["metrics"]["here"] == [(0, "1.0")]
    assert journals() == []


def test_a_sender_that_is_killed_costs_the_edit_nothing(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "sender", sender.Aside)
    told: list[object] = []

    def kill(run: Run) -> None:
        sending = run._sink._recording.sender
        assert isinstance(sending, sender.Aside)
        sending._process.kill()
        sending._process.wait()

    with open_run(recipe_for(store), told.append) as run:
        kill(run)
        run.tell(Measured("loss/target", 0.25, 1))
    (note,) = told
    assert isinstance(note, Noted)
    assert "what sends to the MLflow store" in note.text
    assert len(journals()) == 1


def test_a_journal_that_cannot_be_written_is_said_and_nothing_more(store: str, tmp_path: Path) -> None:
    (tmp_path / ".editkit").write_text("in the way")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("in the way too")
    told: list[object] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tempfile.tempdir", str(elsewhere))
        with open_run(recipe_for(store), told.append) as run:
            run.metrics({"here": 1.0})
    assert run.run_id is None
    (note,) = told
    assert isinstance(note, Noted)
    assert note.text.startswith("this run's journal can't be written (")
    assert note.text.endswith("): the edit goes on, and it is not tracked")
