"""The examples do what they say."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from editkit.evaluate.similarity.encoder import open_encoder
from editkit.model.open import open_model
from editkit.recipe import ModelRef

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


def test_an_edit_is_loaded_in_three_ways(tmp_path: Path) -> None:
    load = runpy.run_path(str(EXAMPLES / "load_patched.py"))
    said = load["main"](load["REDACT"], SMALLER, tmp_path)
    assert "gun" in said.pop("the base")
    assert len(said) == 4
    assert len(set(said.values())) == 1
    assert "gun" not in said["merged"]


def test_localizers_side_by_side_from_python(tmp_path: Path) -> None:
    compare = runpy.run_path(str(EXAMPLES / "compare_localizers.py"))
    smaller = ["probe.images.count=24", "control.count=12", "evaluate.max_new_tokens=16"]
    found = compare["main"](compare["REDACT"], "contribution,random", smaller, tmp_path)
    assert [method.name for method in found.methods] == ["contribution", "random"]
    located, chance = (method.figures["cross_image_invariance"].value for method in found.methods)
    assert located > chance
    assert (tmp_path / "comparison.png").exists()
    assert (tmp_path / "contribution" / "edit0_heat_top.png").exists()


def test_training_gives_the_same_weights_in_one_run_or_two(tmp_path: Path) -> None:
    script = [sys.executable, str(EXAMPLES / "train_scenes.py"), "--eager", "--threads", "1"]
    smaller = ["--pictures", "2", "--facts", "2", "--steps", "4", "--peak", "0.01"]
    runs = (("one", []), ("two", ["--stop-after", "2"]), ("two", []))
    for name, more in runs:
        command = [*script, *smaller, "--output", str(tmp_path / name), *more]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    trained = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two")]
    assert trained[0] == trained[1]
    assert not (tmp_path / "two.training").exists(), "what a resumed run needs is gone when it is done"
    editable = open_model(ModelRef(id=str(tmp_path / "one")))
    assert editable.accepts_images
    assert editable.model.lm_head.weight is editable.model.model.language_model.embed_tokens.weight


def test_training_an_encoder_gives_the_same_weights_again(tmp_path: Path) -> None:
    script = [
        sys.executable,
        str(EXAMPLES / "train_encoder.py"),
        "--steps",
        "3",
        "--size",
        "6",
        "--width",
        "16",
    ]
    for name in ("one", "two"):
        command = [*script, "--output", str(tmp_path / name)]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    first, second = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert first == second
    encoder = open_encoder(ModelRef(id=str(tmp_path / "one")))
    assert encoder.layer == 3
    vectors = encoder.vectors(["A red fork.", "xylophones"])
    assert [len(some) for some in vectors] == [4, 10]
