"""What a recipe asks of a model, told before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.probe.load import expected, longest_prompt
from editkit.probe.planning import asked
from editkit.recipe import parse_recipe

RECIPE = "{version: 1, name: a, model: demo/scenes, edits: [{suppress: gun}], probe: %s}"


def length(editable: Editable, probe: str) -> int:
    return longest_prompt(parse_recipe(RECIPE % probe), editable)


def test_pictures_count_as_many_tokens_as_the_model_gives_them(demo: Editable) -> None:
    recipe = parse_recipe(RECIPE % "{images: {demo: guns, count: 1}}")
    first = asked(recipe, demo, recipe.probe.images, recipe.probe.prompts, 0)[0]
    assert longest_prompt(recipe, demo) == feed(demo, [first]).inputs["input_ids"].shape[1]


def test_the_longest_of_all_prompts_counts(llama: Editable) -> None:
    assert length(llama, "{prompts: [a, the gun is on the table]}") == length(
        llama, "{prompts: [the gun is on the table]}"
    )


def test_running_text_is_cut_until_it_fits(llama: Editable) -> None:
    assert length(llama, "{texts: [the gun is on the table]}") < 30
    assert length(llama, f"{{texts: ['{'the gun is on the table, ' * 100}']}}") == llama.context_length
    assert length(llama, "{sampled: {prompt: the gun, max_new_tokens: 20}}") == pytest.approx(23, abs=3)


def test_rewrites_name_prompts_of_their_own(llama: Editable) -> None:
    text = RECIPE.replace("suppress: gun", "rewrite: {prompt: the gun is a, from: gun, to: cup}")
    assert longest_prompt(parse_recipe(text % "{}"), llama) > 3


def test_what_can_not_be_asked_is_told_before_the_model_is_loaded(llama: Editable, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="takes no pictures"):
        length(llama, "{images: {demo: guns}}")
    with pytest.raises(InputError, match="can't be read"):
        length(llama, f"{{prompts: {{file: {tmp_path / 'none.txt'}}}}}")


def test_batches_layers_and_sorts_are_those_of_the_recipe(llama: Editable) -> None:
    text = RECIPE.replace(
        "edits:", "locate: {layers: last_half}, evaluate: {batch_size: 3, max_new_tokens: 7}, edits:"
    )
    recipe = parse_recipe(text % "{prompts: [the gun]}")
    load = expected(recipe, llama, solved=5, preserve=11)
    assert (load.answer, load.asked, load.solved, load.sorts, load.cases, load.lowest) == (7, 3, 5, 2, 22, 1)
