"""What one process saves another loads: every family's patch, in one fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.model.open import open_model
from editkit.model.patching import patched
from editkit.patch.file import Patch
from editkit.recipe import ModelRef
from tests.families import FAMILIES, Family
from tests.families.ask import questions

LOADED = """
import json, sys, torch, editkit
found = {}
for name, folder, work in json.load(open(sys.argv[1])):
    model = editkit.from_pretrained(folder, f"{work}/p.editkit.safetensors").eval()
    asked = torch.load(f"{work}/asked.pt", weights_only=True)
    with torch.no_grad():
        found[name] = torch.equal(model(**asked["inputs"]).logits, asked["logits"])
print(json.dumps(found))
"""


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"  # as in test_way
)
def test_a_fresh_process_loads_every_patch_and_says_the_same(
    built: Callable[[Family], Path],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path: Path,
) -> None:
    work = []
    for name, family in FAMILIES.items():
        editable = open_model(ModelRef(id=str(built(family))))
        own = tmp_path / name
        own.mkdir()
        patch = patch_of(editable, random_rows(editable, 7))
        patch.save(own / "p.editkit.safetensors")
        inputs = call_inputs(editable, feed(editable, questions(editable)[:1], [[20]]))
        with torch.no_grad(), patched(editable.model, patch):
            logits = editable.model(**inputs).logits
        torch.save({"inputs": inputs, "logits": logits}, own / "asked.pt")
        work.append((name, str(built(family)), str(own)))
    (tmp_path / "work.json").write_text(json.dumps(work))
    done = subprocess.run(
        [sys.executable, "-c", LOADED, str(tmp_path / "work.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == dict.fromkeys(FAMILIES, True)
