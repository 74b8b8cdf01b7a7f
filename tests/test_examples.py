"""The examples do what they say."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SMALLER = [
    "probe.images.count=60",
    "control.count=24",
    "solve.preserve=24",
    "solve.max_ratio=8",
    "locate.top=32",
    "evaluate.metrics=[efficacy, locality]",
]


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / "apply_and_load.py"))


def test_apply_from_python_load_undo_and_merge(example: dict[str, Any], tmp_path: Path) -> None:
    said = example["main"](example["REDACT"], SMALLER, tmp_path)
    assert "gun" in said["before"]
    assert "gun" not in said["with the patch"]
    assert said["undone"] == said["before"]
    assert said["for a block"] == said["merged"] == said["with the patch"]
    assert not list((tmp_path / "merged").glob("*editkit*"))
