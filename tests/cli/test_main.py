from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from editkit.cli import COMMANDS

HEAVY = ("torch", "transformers", "mlflow", "numpy", "peft")
FAILING = """
import click
from editkit.errors import ModelError

@click.command()
def fails() -> int:
    raise ModelError("no model: get one")

@click.command()
def breaks() -> int:
    raise ZeroDivisionError("three words\\nand a line")

@click.command()
def stops() -> int:
    raise KeyboardInterrupt

@click.command()
def rejects() -> int:
    return 3
"""


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that end in every way a command can end."""
    (tmp_path / "failing_commands.py").write_text(FAILING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "failing_commands", raising=False)
    for name in ("fails", "breaks", "stops", "rejects"):
        monkeypatch.setitem(COMMANDS, name, f"failing_commands:{name}")


def test_every_command_of_the_table_is_there() -> None:
    for name, place in COMMANDS.items():
        module, _, attribute = place.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        assert command.name == name
        assert command.help


def test_help_names_every_command_in_full(call: Any) -> None:
    answer = call("--help")
    assert answer.code == 0
    for name in COMMANDS:
        assert f"  {name} " in answer.out
    assert "..." not in answer.out.partition("Commands:")[2]


def test_version(call: Any) -> None:
    assert call("--version").out.startswith("editkit ")


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        ("fails", 1, "error: no model: get one\n"),
        (
            "breaks",
            1,
            "error: this is a bug: ZeroDivisionError: three words and a line, -v shows the traceback\n",
        ),
        ("stops", 130, "interrupted\n"),
        ("rejects", 3, ""),
    ],
)
def test_every_end_is_one_sentence_and_a_code(call: Any, command: str, code: int, sentence: str) -> None:
    answer = call(command)
    assert (answer.code, answer.out, answer.err.lstrip("\n")) == (code, "", sentence)


@pytest.mark.usefixtures("failing")
def test_a_bug_shows_its_traceback_when_asked(call: Any) -> None:
    assert "Traceback" in call("-v", "breaks").err
    assert "Traceback" not in call("breaks").err


@pytest.mark.usefixtures("failing")
def test_failures_are_documents_too(call: Any) -> None:
    assert call("--json", "fails").document == {"status": "failed", "error": "no model: get one"}
    assert call("--json", "stops").document == {"status": "interrupted", "error": "interrupted"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["aply"], "no command aply: did you mean apply?"),
        (["zzz"], "there are apply, plan"),
        (["apply"], "Missing argument 'RECIPE'"),
        (["apply", "a", "--nope"], "No such option"),
        (["ui", "--port", "x"], "--port"),
    ],
)
def test_usage_errors(call: Any, args: list[str], words: str) -> None:
    answer = call(*args)
    assert answer.code == 2
    assert words in answer.err
    assert "--help)" in answer.err
    assert len(answer.err.splitlines()) == 1
    assert call("--json", *args).document["status"] == "failed"


def test_switches_may_stand_before_or_after_the_command(call: Any, recipe: Path) -> None:
    assert call("--json", "validate", recipe).document == call("validate", recipe, "--json").document
    assert call("-q", "validate", recipe).out == call("validate", "-q", recipe).out == ""


def script(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs `python -m editkit` and reports which heavy modules it imported, on the last line of stderr."""
    code = (
        "import runpy, sys, atexit\n"
        f"atexit.register(lambda: print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr))\n"
        f"sys.argv = ['editkit', *{args!r}]\n"
        "runpy.run_module('editkit', run_name='__main__')\n"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--help"], 0),
        (["apply", "--help"], 0),
        (["validate", "small.yaml"], 0),
        (["apply", "small.yaml", "--set", "locate.tokns=all"], 2),
        (["--json", "plan", "small.yaml", "--set", "modle=x"], 2),
        (["schema"], 0),
        (["ls"], 0),
        (["models"], 0),
    ],
)
def test_nothing_heavy_is_imported_before_a_recipe_is_good(recipe: Path, args: list[str], code: int) -> None:
    done = script(*args, cwd=recipe.parent)
    assert done.returncode == code, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_model_that_is_not_there_is_one_sentence_and_writes_nothing(recipe: Path) -> None:
    before = set(recipe.parent.iterdir())
    done = script("--json", "apply", "small.yaml", "--no-track", cwd=recipe.parent)
    assert done.returncode == 1
    assert json.loads(done.stdout)["status"] == "failed"
    assert "nowhere" in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.stderr
    assert set(recipe.parent.iterdir()) == before
