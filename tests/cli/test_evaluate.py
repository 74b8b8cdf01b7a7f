"""`editkit evaluate`: one document, the verdict as exit code, a run in MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from editkit.model.open import open_model
from editkit.model.patching import write_patch
from editkit.patch.file import Patch
from editkit.recipe import ModelRef

SMALL = """
version: 1
name: small
model: demo/scenes
probe: {images: {demo: guns, count: 24}}
control: {count: 12}
edits: [{suppress: gun}]
solve: {steps: 5, preserve: 12}
evaluate: {max_new_tokens: 12, metrics: [efficacy, locality, rouge_l]}
accept: {locality: ">= 0"}
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def test_a_patch_and_a_merged_model(call: Any, small: Path, store: str, tmp_path: Path) -> None:
    made = call("--json", "apply", small, "--no-track").document
    patch = tmp_path / made["patch"]
    base = open_model(ModelRef(id="demo/scenes"))
    write_patch(base.model, Patch.load(patch))
    base.model.save_pretrained(tmp_path / "merged")
    base.processor.save_pretrained(tmp_path / "merged")

    answer = call("--json", "evaluate", "merged", small, "--against", patch, "--set", f"track.uri={store}")
    found = answer.document
    assert answer.code == 3, "too few cases to accept on"
    assert found["accepted"] is False
    after = {name: row["after"] for name, row in made["scores"].items()}
    assert {name: row["after"] for name, row in found["scores"].items()} == after
    assert {name: row["after"] for name, row in found["other"]["scores"].items()} == after
    assert {one["difference"] for one in found["differences"]} == {0.0}
    assert found["intervals"]["locality"]["after"][2] == found["cases"]["control"]
    assert found["intervals"]["locality"]["control"] is None

    run = MlflowClient(store).get_run(found["run_id"])
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "small evaluate"
    assert run.data.tags["editkit.verdict"] == "rejected"
    assert run.data.metrics["locality/after"] == after["locality"]
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    assert (folder / "differences.json").is_file()
    assert "How to undo" not in (folder / "report.md").read_text(), "there is no patch to take out"

    shown = call("evaluate", patch, small, "--no-track", "--against", "merged")
    assert shown.code == 3
    for words in ("efficacy", "rouge_l", "rejected", "other  merged", "difference"):
        assert words in shown.out
    assert "beats" not in shown.out, "nothing stands beside"


def test_what_is_no_change(call: Any, small: Path) -> None:
    answer = call("evaluate", "nothing.editkit.safetensors", small, "--no-track")
    assert answer.code == 1
    assert "nothing.editkit.safetensors: no such file or folder" in answer.err
    assert "Traceback" not in answer.err
