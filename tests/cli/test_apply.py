"""The main job on the embedded model, small: what it writes, what it says, and what it keeps to itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from mlflow import MlflowClient

from editkit.model.editable import Editable
from editkit.model.patching import write_patch
from editkit.patch.file import Patch
from editkit.patch.words import Privacy, keyed_digest, local_key
from editkit.recipe import load_recipe, parse_recipe

SMALL = """# a comment that is kept
version: 1
name: small
model: demo/scenes
probe: {images: {demo: guns, count: 24}}
control: {count: 12}
edits: [{suppress: gun}]
solve: {steps: 5, preserve: 12}
evaluate: {max_new_tokens: 12, metrics: [efficacy, locality]}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def applied(call: Any, small: Path, *args: str) -> tuple[Any, Patch]:
    """The JSON document and the patch of an edit that does not meet `accept`: it is far too small."""
    answer = call("--json", "apply", small, *args)
    assert answer.code == 3, answer.err
    return answer.document, Patch.load(small.parent / answer.document["patch"])


def test_a_run_holds_the_recipe_as_written_and_as_resolved(
    call: Any, small: Path, store: str, demo: Editable
) -> None:
    document, patch = applied(call, small, "--set", f"track.uri={store}", "--set", "seed=3")
    run = MlflowClient(store).get_run(document["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.tags["editkit.verdict"] == "rejected"
    assert run.data.tags["editkit.patch_digest"] == patch.digest
    assert run.data.tags["editkit.recipe_digest"] == patch.provenance.recipe_digest
    params = run.data.params
    assert params["recipe.model.id"] == "demo/scenes"
    assert (params["recipe.seed"], params["recipe.solve.steps"]) == ("3", "5")
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    assert (folder / "recipe.yaml").read_text() == SMALL
    resolved = parse_recipe((folder / "resolved.yaml").read_text())
    assert resolved == load_recipe(small, [f"track.uri={store}", "seed=3"])
    assert Patch.load(folder / "patch" / "small.editkit.safetensors") == patch

    # What the report says about undoing is run as it stands.
    (snippet,) = re.findall(r"```python\n(.*?)```", (folder / "report.md").read_text(), re.DOTALL)
    before = {name: weight.clone() for name, weight in demo.model.state_dict().items()}
    write_patch(demo.model, patch)
    exec(snippet, {"model": demo.model})
    assert all(torch.equal(weight, demo.model.state_dict()[name]) for name, weight in before.items())


@pytest.mark.parametrize("how", ["hash", "omit"])
def test_a_patch_never_spells_the_word(call: Any, small: Path, how: Privacy) -> None:
    document, patch = applied(call, small, "--no-track", "--set", f"track.privacy.published={how}")
    assert document["run_id"] is None
    content = Path("small.editkit.safetensors").read_bytes()
    # Behind the header stand numbers only, and three bytes of them may be those of a word by chance.
    header = content[: 8 + int.from_bytes(content[:8], "little")].lower()
    assert b"gun" not in header
    recipe = load_recipe(small, [f"track.privacy.published={how}"])
    assert recipe.digest.encode() not in header
    assert patch.provenance.recipe_digest == keyed_digest(recipe.digest, how, local_key())


def test_a_plain_patch_spells_it_and_the_recipes_own_digest(call: Any, small: Path) -> None:
    _, patch = applied(call, small, "--no-track", "--set", "track.privacy.published=plain")
    assert patch.provenance.edits == ("suppress gun -> the next best",)
    recipe = load_recipe(small, ["track.privacy.published=plain"])
    assert patch.provenance.recipe_digest == recipe.digest
