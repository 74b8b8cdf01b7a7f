"""What `import editkit` gives: the names it promises, and nothing heavy before one is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import editkit
from editkit.errors import RecipeError

ROOT = Path(__file__).parents[1]
SOURCE = ast.parse(Path(editkit.__file__).read_text())


@pytest.mark.parametrize("name", editkit.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(editkit, name) is not None
    assert name in dir(editkit)


def test_type_checkers_see_what_a_program_gets() -> None:
    (guarded,) = [node for node in SOURCE.body if isinstance(node, ast.If)]
    typed = {
        alias.name: node.module
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == editkit._PLACES
    assert set(typed) | {"__version__"} == set(editkit.__all__)
    assert list(editkit.__all__) == sorted(editkit.__all__)


def test_the_version_is_the_packages() -> None:
    assert editkit.__version__ == metadata.version("editkit")


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'editkit' has no attribute 'aply'"):
        editkit.aply  # noqa: B018


def test_importing_it_costs_nothing() -> None:
    code = "import editkit, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not {name.partition(".")[0] for name in done.stdout.split()} & {
        "numpy",
        "pydantic",
        "torch",
        "yaml",
    }
    assert {name for name in done.stdout.split() if name.startswith("editkit")} == {"editkit"}


def test_a_recipe_is_checked_to_the_settings_of_its_methods(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("version: 1\nname: a\nmodel: x\nprobe: {prompts: [p]}\nedits: [{suppress: gun}]\n")
    assert editkit.load_recipe(file, ["locate.tokens=first"]).locate.settings == {"tokens": "first"}
    with pytest.raises(RecipeError, match=r"locate\.tokns: unknown key, did you mean tokens"):
        editkit.load_recipe(file, ["locate.tokns=first"])
