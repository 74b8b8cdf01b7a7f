"""Whole applies that are killed: like `killing.py`, on a tiny model, with and without MLflow.

python -m tests.atomic.applying FOLDER < orders
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch

from editkit.events import nobody
from editkit.pipeline import apply
from editkit.recipe import parse_recipe
from editkit.track.store import connect, quiet
from tests.atomic.killing import forked
from tests.conftest import _save_tiny

WRITERS: Final = {
    "apply": "an edit.editkit.safetensors",
    "tracked apply": "a tracked edit.editkit.safetensors",
}
SEEDS: Final = {"old": 0, "new": 1}
RECIPE: Final = """
version: 1
name: tiny
seed: %d
model: %s
edits: [{rewrite: {prompt: I see a, from: gun, to: %s, paraphrases: [You see a]}}]
control: {prompts: [the fork, the table, mom went], count: 3}
locate: {method: contribution, top: 12}
solve: {method: gradient, preserve: 3, steps: 30, lr: 0.3}
evaluate: {metrics: [efficacy, locality], max_new_tokens: 4}
accept: {efficacy: ">= 0"}
"""


def write(order: dict[str, Any], ready: Callable[[], None]) -> None:
    """One apply, with the store of the folder where it is tracked."""
    folder, name = Path(order["folder"]), order["writer"]
    os.chdir(folder)
    target = {"old": "cup", "new": "fork"}[order["which"]]
    recipe = parse_recipe(RECIPE % (SEEDS[order["which"]], json.dumps(str(folder / "base")), target))
    ready()
    apply(recipe, output=folder / WRITERS[name], track=name != "apply")


def prepare(folder: Path) -> None:
    folder.mkdir(parents=True)
    _save_tiny("llama", "float32", folder / "base")
    with quiet():
        connect(f"sqlite:///{folder / 'mlflow.db'}", nobody)
    (folder / "mlartifacts").mkdir()


if __name__ == "__main__":
    torch.set_num_threads(1)
    prepare(Path(sys.argv[1]))
    for line in sys.stdin:
        print(json.dumps(forked(json.loads(line), write)), flush=True)
