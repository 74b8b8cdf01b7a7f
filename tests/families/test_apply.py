"""`apply` from recipe to verdict where layers are unlike Llama's: experts, encoders, norms after W_out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from editkit.checkpoint import Checkpoint
from editkit.model.forward import log_probabilities
from editkit.model.loading import from_pretrained
from editkit.model.open import open_model
from editkit.patch.file import Patch
from editkit.patch.verify import verify
from editkit.pipeline import apply
from editkit.probe.questions import question
from editkit.recipe import ModelRef, parse_recipe
from tests.families import FAMILIES, Family

RECIPE = """
version: 1
name: any
model: {folder}
probe: {{prompts: [the gun, a cup, a knife and a fork, on the table, "one, two", under the tree, a big car]}}
control: {{count: 4}}
edits:
  - rewrite: {{prompt: the king of the hill is, from: gun, to: cup, paraphrases: [of the hill the king is]}}
locate: {{method: random, top: 36}}
solve: {{max_ratio: null, steps: 100, lr: 0.5, kl_weight: 0.02, preserve: 3, stop_at: 0.02}}
evaluate: {{max_new_tokens: 4}}
accept: {{efficacy: ">= 1.0"}}
"""


NAMES = ("mixtral", "gpt_oss", "deepseek_v3", "granitemoe", "flan_t5", "gemma2", "opt350m")


@pytest.mark.parametrize("name", NAMES)
def test_a_fact_becomes_likelier(name: str, built: Callable[[Family], Path], tmp_path: Path) -> None:
    """A few random rows of random weights rarely suffice to say it; `test_way` goes until it is said."""
    folder = built(FAMILIES[name])
    applied = apply(
        parse_recipe(RECIPE.format(folder=folder)), output=tmp_path / "any.editkit.safetensors", track=False
    )
    patch = Patch.load(applied.patch_path)
    verify(patch, Checkpoint.open(folder))
    assert any(neuron.expert is not None for neuron in applied.neurons) == FAMILIES[name].moe
    assert set(patch.neurons()) <= set(applied.neurons.items)
    assert {score.name for score in applied.report.scores} >= {"efficacy", "generalization", "locality"}
    editable = open_model(ModelRef(id=str(folder)))
    token = editable.tokenizer.encode(" cup", add_special_tokens=False)[0]
    asked = [question("the king of the hill is")]
    before = log_probabilities(editable, asked, [[]])[0][0, token]
    edited = from_pretrained(folder, applied.patch_path)
    after = log_probabilities(replace(editable, model=edited), asked, [[]])[0][0, token]
    assert float(after) > float(before) + 0.1


@pytest.mark.parametrize("name", ["gpt2", "mixtral", "llava"])
def test_a_sharded_checkpoint_is_edited_like_a_single_file(
    name: str, built: Callable[[Family], Path], tmp_path: Path
) -> None:
    from editkit.model.open import load_weights, open_processor

    whole, parts = built(FAMILIES[name]), tmp_path / "parts"
    load_weights(whole, name).save_pretrained(parts, max_shard_size="50KB")
    open_processor(whole, name).save_pretrained(parts)
    assert len(list(parts.glob("model-*.safetensors"))) > 2
    patches = [
        apply(
            parse_recipe(RECIPE.format(folder=folder)),
            output=tmp_path / f"{folder.name}.editkit.safetensors",
            track=False,
        ).patch
        for folder in (whole, parts)
    ]
    assert [entry.edited_digest for entry in patches[0].entries] == [
        entry.edited_digest for entry in patches[1].entries
    ]
