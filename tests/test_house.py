"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from editkit import errors

ROOT = Path(__file__).parents[1]
FOLDERS = ("editkit", "tests", "examples", "benchmarks")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PACKAGE = [path for path in SOURCES if path.is_relative_to(ROOT / "editkit")]
# An example is a script that stands alone, so it may be longer than a module.
MODULES = [path for path in SOURCES if not path.is_relative_to(ROOT / "examples")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_only_the_cli_prints(path: Path) -> None:
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    prints = [call for call in calls if isinstance(call, ast.Name) and call.id == "print"]
    assert not prints or path.is_relative_to(ROOT / "editkit" / "cli")


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_silenced_check_says_which(path: Path) -> None:
    assert not re.search(r"#\s*(?:noqa(?!:)|type:\s*ignore(?!\[))", path.read_text())


def test_the_tree_of_errors_is_the_one_drawn() -> None:
    drawn: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"[\s│├└─]*(\w+Error)\b", line):
            depth = found.start(1)
            above = [(at, parent) for at, parent in above if at < depth]
            drawn[found[1]] = above[-1][1] if above else None
            above.append((depth, found[1]))
    real = {
        kind.__name__: None if kind is errors.EditkitError else kind.__bases__[0].__name__
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.EditkitError)
    }
    assert drawn == real


def test_tests_mirror_the_package() -> None:
    rooms = {path.name for path in (ROOT / "editkit").iterdir() if path.is_dir()}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    # What stands for no room: inputs, model families, and a Hub to talk to.
    assert folders - {"__pycache__", "data", "families", "hub"} <= rooms


def test_every_dependency_is_pinned_within_its_range() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.lower().replace("_", "-").split("==") for line in lines if "==" in line)
    asked = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(pins[requirement.name.lower().replace("_", "-")])


def test_mlflow_projects_run_a_recipe_that_ships() -> None:
    entries = yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]
    assert set(entries) == {"main", "evaluate", "validate"}
    for entry in entries.values():
        assert (ROOT / entry["parameters"]["recipe"]["default"]).is_file()


def test_ci_and_people_call_the_same_commands() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if line.startswith("make")] == ["make test"]
    for target in ("demo", "test", "check"):
        shown = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert shown.returncode == 0, shown.stderr


def test_nothing_names_the_machine_it_was_written_on() -> None:
    folders = re.compile(r"(?<![\w.])/(?:home|root|work|Users|tmp)/\w")
    # What `make demo` leaves beside them, a patch and a store of runs, is not the project's.
    own = [path for kind in ("md", "toml", "txt", "yaml") for path in ROOT.glob(f"*.{kind}")]
    texts = [*SOURCES, *own, *(ROOT / "docs").rglob("*.md"), *(ROOT / "recipes").glob("*.yaml")]
    named = [name(path) for path in texts if path.is_file() and folders.search(path.read_text())]
    assert named == []
