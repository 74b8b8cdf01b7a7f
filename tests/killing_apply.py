"""Whole runs of `apply` that are killed: a server that has torch and a tiny model, and forks for each order.

python -m tests.killing_apply FOLDER < orders
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

PLACES: Final = {"apply": "tiny.editkit.safetensors", "tracked": "tracked.editkit.safetensors"}
RECIPE: Final = """
version: 1
name: tiny
seed: {seed}
model: base
edits: [{{rewrite: {{prompt: I see a, from: gun, to: cup, paraphrases: [You see a]}}}}]
control: {{prompts: [the fork, the table, mom went], count: 3}}
locate: {{method: contribution, top: 12}}
solve: {{method: gradient, preserve: 3, steps: 10, lr: 0.3}}
evaluate: {{max_new_tokens: 4}}
accept: {{efficacy: ">= 0"}}
track: {{uri: "sqlite:///{store}", privacy: {{published: plain}}}}
"""


def prepare(folder: Path) -> None:
    """A tiny Llama, the recipes of an old and of a new edit, and an empty MLflow store."""
    import torch

    from editkit.events import nobody
    from editkit.track.store import connect, quiet
    from tests.conftest import _save_tiny

    torch.set_num_threads(1)
    folder.mkdir(parents=True)
    _save_tiny("llama", "float32", folder / "base")
    os.environ["EDITKIT_HOME"] = str(folder / "home")
    for seed, name in enumerate(("old", "new")):
        text = RECIPE.format(seed=seed, store=folder / "mlflow.db")
        (folder / f"{name}.yaml").write_text(text)
    with quiet():
        connect(f"sqlite:///{folder / 'mlflow.db'}", nobody)
    import editkit.pipeline
    import editkit.views  # noqa: F401 - so that children begin at once


def write(order: dict[str, Any], ready: Callable[[], None]) -> None:
    from editkit.pipeline import apply
    from editkit.recipe import load_recipe

    folder = Path(order["folder"])
    os.chdir(folder)
    recipe = load_recipe(folder / f"{order['which']}.yaml", environ={})
    ready()
    apply(recipe, output=folder / PLACES[order["writer"]], track=order["writer"] == "tracked", force=True)


if __name__ == "__main__":
    from tests.atomic.killing import forked

    prepare(Path(sys.argv[1]))
    for line in sys.stdin:
        print(json.dumps(forked(json.loads(line), write)), flush=True)
