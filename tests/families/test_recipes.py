"""The recipes for real models run on tiny checkpoints of the same classes; `small.py` says what is changed.

Random weights are not edited well; what is asserted is that all of a recipe is obeyed and that a run ends in
a patch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.patch.file import Patch
from editkit.pipeline import apply
from tests.families import FAMILIES, Family
from tests.families.small import draw, small
from tests.recipe.sizes import REAL


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("pictures"))


@pytest.mark.parametrize("name", REAL)
def test_it_runs_on_a_tiny_checkpoint_of_the_same_class(
    name: str, built: Callable[[Family], Path], pictures: Path, tmp_path: Path
) -> None:
    recipe = small(name, built(FAMILIES[REAL[name].family]), pictures)
    place = tmp_path / "p.editkit.safetensors"
    applied = apply(recipe, output=place, track=False)
    assert Patch.load(place) == applied.patch
    assert {neuron.layer for neuron in applied.neurons} <= set(recipe.locate.layers_of(2))
    assert set(recipe.accept) <= {score.rpartition(".")[2] for score in applied.report.table()}
