"""A change on a recipe's cases: the same figures as `apply` gave it, by itself or against another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.errors import InputError, PatchError
from editkit.model.open import open_model
from editkit.model.patching import write_patch
from editkit.outcome import Applied
from editkit.pipeline import apply
from editkit.recipe import ModelRef, Recipe, parse_recipe
from editkit.study.evaluating import evaluate_only, told

FACT = """
version: 1
name: tiny
model: %s
edits: [{rewrite: {prompt: I see a, from: gun, to: cup, paraphrases: [You see a]}}]
control: {prompts: [the fork, the table, mom went, a spoon, the knife], count: 5}
locate: {method: contribution, top: 12}
solve: {method: gradient, preserve: 2, steps: 30, lr: 0.3}
evaluate: {max_new_tokens: 4, probes: {negation: auto}}
accept: {efficacy: ">= 0"}
track: {privacy: {published: plain}}
"""


@pytest.fixture(scope="module")
def recipe(tiny_checkpoint: Callable[..., Path]) -> Recipe:
    return parse_recipe(FACT % tiny_checkpoint("llama"))


@pytest.fixture(scope="module")
def made(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Applied:
    return apply(recipe, output=tmp_path_factory.mktemp("p") / "p.editkit.safetensors", track=False)


def test_a_patch_scores_as_it_did_when_it_was_made(recipe: Recipe, made: Applied) -> None:
    found = evaluate_only(recipe, made.patch_path, control=True, track=False)
    assert found.report == made.report
    assert (found.against, found.other, found.differences) == (None, None, ())
    assert "ask the changed model" in found.seconds
    assert evaluate_only(recipe, made.patch, control=True, track=False).report == made.report


def test_without_the_control_nothing_is_solved(recipe: Recipe, made: Applied) -> None:
    found = evaluate_only(recipe, made.patch_path, track=False)
    table = made.report.table()
    assert found.report.table() == {name: {**row, "control": None} for name, row in table.items()}
    assert not [name for name in found.seconds if "solve" in name]


def test_a_merged_model_against_its_patch_differs_by_nothing(
    recipe: Recipe, made: Applied, tmp_path: Path
) -> None:
    other = open_model(recipe.model_ref())
    write_patch(other.model, made.patch)
    other.model.save_pretrained(tmp_path)
    other.processor.save_pretrained(tmp_path)
    found = evaluate_only(recipe, tmp_path, against=made.patch_path, track=False)
    assert found.other is not None
    assert found.report.scores == found.other.scores
    assert [one["metric"] for one in told(found.differences)] == [one.name for one in found.report.scores]
    assert {one["difference"] for one in told(found.differences)} == {0.0}


def test_a_base_is_an_edit_that_changes_nothing(recipe: Recipe, made: Applied) -> None:
    found = evaluate_only(recipe, recipe.model.id, against=made.patch_path, track=False)
    for score in found.report.scores:
        assert score.before is not None
        assert score.after.value == pytest.approx(score.before.value, abs=1e-6)
    by_name = {score.name: score for score in found.differences}
    assert by_name["drift"].difference is not None
    assert by_name["drift"].difference.value < 0
    assert found.report.words == ()


def test_a_control_is_of_a_patch(recipe: Recipe) -> None:
    with pytest.raises(InputError, match="give a patch"):
        evaluate_only(recipe, recipe.model.id, control=True, track=False)


def test_a_patch_of_another_base(recipe: Recipe, made: Applied, tiny_checkpoint: Callable[..., Path]) -> None:
    other = parse_recipe(FACT % tiny_checkpoint("gpt2"))
    with pytest.raises(PatchError):
        evaluate_only(other, made.patch_path, track=False)
    assert ModelRef(id=recipe.model.id)
