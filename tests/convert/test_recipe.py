"""The recipe for MiniGPT-4 runs on a converted folder, with its own processor and chat template."""

from __future__ import annotations

from pathlib import Path

from editkit.pipeline import apply
from tests.families.small import draw, small


def test_it_runs_on_a_converted_folder(minigpt4: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    recipe = small("minigpt4-fix-hallucination", minigpt4, draw(tmp_path / "pictures"))
    applied = apply(recipe, output=tmp_path / "p.editkit.safetensors", track=False)
    assert {neuron.layer for neuron in applied.neurons} == {1}
    assert set(recipe.accept) <= set(applied.report.table())
