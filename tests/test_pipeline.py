"""From a recipe to a patch that is proved, on the embedded model and on tiny ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.checkpoint import Checkpoint
from editkit.errors import InputError, ModelError, OutputError
from editkit.events import Event, Measured, StageEnded, StageStarted
from editkit.export.checking import check_folder
from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities
from editkit.model.open import open_model
from editkit.model.patching import patched, undo_patch, write_patch
from editkit.outcome import Applied
from editkit.patch.file import Patch
from editkit.pipeline import apply, dry_run
from editkit.probe.questions import question
from editkit.probe.scenes import pictures
from editkit.recipe import ModelRef, Recipe, parse_recipe
from editkit.study.locating import locate_only
from tests.families.odd import build_odd

GUNS = """
version: 1
name: small
model: demo/scenes
probe: {images: {demo: guns, count: 46}}
control: {count: 50}
edits: [{suppress: gun}]
locate: {method: contribution, top: 6}
solve: {method: gradient, preserve: 20, steps: 12}
evaluate: {max_new_tokens: 20}
accept: {locality: ">= 0.5"}
track: {privacy: {published: plain}}
"""
FACT = """
version: 1
name: tiny
model: %s
edits: [{rewrite: {prompt: I see a, from: gun, to: cup, paraphrases: [You see a]}}]
control: {prompts: [the fork, the table, mom went], count: 3}
locate: {method: contribution, top: 12}
solve: {method: gradient, preserve: 3, steps: 30, lr: 0.3}
evaluate: {max_new_tokens: 4}
accept: {efficacy: ">= 0"}
track: {privacy: {published: plain}}
"""


@pytest.fixture(scope="module")
def told() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def guns(tmp_path_factory: pytest.TempPathFactory, told: list[Event]) -> Applied:
    output = tmp_path_factory.mktemp("guns") / "small.editkit.safetensors"
    return apply(parse_recipe(GUNS), output=output, tell=told.append, track=False)


def shown(count: int = 4) -> list[Any]:
    return [question("Describe the image in few words.", [p], chat=True) for p in pictures("guns", count, 9)]


def logits(editable: Editable) -> torch.Tensor:
    return torch.cat(log_probabilities(editable, shown(), [[20, 21]] * 4))


def test_the_patch_on_disk_is_the_one_that_was_scored(guns: Applied) -> None:
    stored = Patch.load(guns.patch_path)
    assert stored == guns.patch
    assert set(stored.neurons()) <= set(guns.neurons.items)
    assert len(guns.neurons) == 6
    assert stored.provenance.scores == guns.report.table()
    assert stored.provenance.accepted is guns.accepted
    assert stored.base.id == "demo/scenes"


def test_equal_recipes_make_equal_bytes_whatever_else_is_written(guns: Applied, tmp_path: Path) -> None:
    recipe = parse_recipe(f"{GUNS}export: {{merged: true, lora: adapter, hub: true}}", folder=tmp_path)
    again = apply(recipe, output=tmp_path / "again.editkit.safetensors", track=False)
    assert again.patch_path.read_bytes() == guns.patch_path.read_bytes()
    assert [one.folder.name for one in again.exports] == ["again-merged", "adapter", "again-hub"]
    assert all(check_folder(one.folder).whole for one in again.exports)
    assert guns.exports == ()


def test_every_score_stands_beside_before_and_control(guns: Applied) -> None:
    table = guns.report.table()
    assert {"efficacy", "generalization", "counterfactual", "locality", "drift"} <= set(table)
    assert table["efficacy"]["before"] == table["generalization"]["before"] == 0.0
    assert table["locality"]["before"] == 1.0
    assert table["drift"]["before"] == 0.0
    assert all(value is not None for row in table.values() for value in row.values())
    assert table["efficacy"]["after"] >= table["efficacy"]["control"]  # type: ignore[operator]  # not None


def test_enough_cases_and_every_condition_met_is_accepted(guns: Applied) -> None:
    assert guns.report.counts["held_out"] >= 20
    assert guns.report.counts["control"] == 50
    assert guns.accepted
    assert guns.report.verdict.reasons == ()


def test_the_rows_cover_all_scored_cases(guns: Applied) -> None:
    counts = guns.report.counts
    scored = sum(count for role, count in counts.items() if not role.startswith("preserve"))
    assert len(guns.report.rows) == scored
    assert {row.role for row in guns.report.rows} == {"edit", "held_out", "control"}
    held_out = [row for row in guns.report.rows if row.role == "held_out"]
    share = sum(row.ok for row in held_out) / len(held_out)
    assert share == guns.report.score("generalization").after.value


def test_every_stage_is_told_and_timed(guns: Applied, told: list[Event]) -> None:
    started = [event.name for event in told if isinstance(event, StageStarted)]
    ended = [event.name for event in told if isinstance(event, StageEnded)]
    assert sorted(started) == sorted(ended)
    assert set(guns.seconds) == set(ended)
    assert {"open the model", "locate", "solve", "solve the random control", "write the patch"} <= set(ended)
    steps = [event.step for event in told if isinstance(event, Measured) and event.key == "loss/target"]
    assert steps == list(range(len(steps))), "the control's curve is not mixed into the edit's"


def test_in_memory_written_and_reloaded_are_one_model(guns: Applied, demo: Editable, tmp_path: Path) -> None:
    before = logits(demo)
    with patched(demo.model, guns.patch):
        expected = logits(demo)
    write_patch(demo.model, guns.patch)
    try:
        demo.model.save_pretrained(tmp_path)
    finally:
        undo_patch(demo.model, guns.patch)
    demo.processor.save_pretrained(tmp_path)
    merged = open_model(ModelRef(id=str(tmp_path)))
    assert torch.allclose(logits(merged), expected, atol=1e-5)
    assert not torch.allclose(expected, before, atol=1e-2)
    assert torch.equal(logits(demo), before)
    files = Checkpoint.open(tmp_path)
    base = Checkpoint.open(demo.folder)
    for entry in guns.patch.entries:
        assert files.digest(entry.tensor) == entry.edited_digest
        assert base.digest(entry.tensor) == entry.base_digest
    edited = {entry.tensor for entry in guns.patch.entries}
    assert all(files.digest(name) == base.digest(name) for name in base.tensors if name not in edited)


def tiny_recipe(folder: Path, *overrides: str) -> Recipe:
    return parse_recipe(FACT % folder, overrides=overrides)


@pytest.mark.parametrize(
    ("family", "dtype"), [("llama", "bfloat16"), ("gpt2", "float32"), ("gpt2", "float16")]
)
def test_text_models_of_any_orientation_and_dtype(
    tiny_checkpoint: Callable[..., Path], tmp_path: Path, family: str, dtype: str
) -> None:
    folder = tiny_checkpoint(family, dtype)
    made = apply(tiny_recipe(folder), output=tmp_path / "p.editkit.safetensors", track=False)
    assert made.patch.base.id == f"sha256:{Checkpoint.open(folder).identity}"
    assert str(folder).encode() not in made.patch_path.read_bytes(), "no local path leaves the machine"
    editable = open_model(ModelRef(id=str(folder)))
    write_patch(editable.model, made.patch)
    editable.model.save_pretrained(tmp_path / "merged")
    files = Checkpoint.open(tmp_path / "merged")
    assert all(files.digest(entry.tensor) == entry.edited_digest for entry in made.patch.entries)
    assert {entry.orientation for entry in made.patch.entries} == {"rows" if family == "gpt2" else "columns"}


def test_too_few_cases_or_a_condition_not_met_is_rejected_and_the_patch_says_so(
    tiny_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = tiny_recipe(tiny_checkpoint("llama"), 'accept={locality: "> 1"}')
    made = apply(recipe, output=tmp_path / "p.editkit.safetensors", track=False)
    assert not made.accepted
    assert Patch.load(made.patch_path).provenance.accepted is False
    said = " ".join(made.report.verdict.reasons)
    assert "locality is" in said
    assert "1 held-out cases are too few" in said


def test_a_dry_run_writes_nothing_and_says_what_it_would_write(
    tiny_checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked: list[Event] = []
    made = dry_run(tiny_recipe(tiny_checkpoint("gpt2")), tell=asked.append)
    assert {event.name for event in asked if isinstance(event, StageStarted)} == {"read config and headers"}
    assert made.plan is None
    assert made.modules[2] == (
        "transformer.h.2.mlp.c_proj",
        "transformer.h.2.mlp.c_proj.weight",
        (128, 32),
        "F32",
    )
    assert made.writes[0] == "tiny.editkit.safetensors"
    assert parse_recipe(made.resolved).document() == tiny_recipe(tiny_checkpoint("gpt2")).document()
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_that_asks_gives_every_input_its_role(tiny_checkpoint: Callable[..., Path]) -> None:
    recipe = tiny_recipe(tiny_checkpoint("gpt2"))
    asked, unasked = dry_run(recipe, ask=True), dry_run(recipe)
    assert asked.plan is not None
    assert asked.plan.counts() == {"control": 2, "preserve": 1, "edit": 1, "held_out": 1}
    assert asked.plan.edits == asked.edits == unasked.edits
    assert asked.memory == unasked.memory


def test_a_dry_run_shows_a_guess_that_apply_would_refuse(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    build_odd(folder)
    recipe = tiny_recipe(folder, "model.trust_remote_code=true")
    assert dry_run(recipe).facts.guess == "model.layers.{}.mlp.back"
    with pytest.raises(ModelError, match="by its shapes"):
        dry_run(recipe, ask=True)
    confirmed = tiny_recipe(folder, "model.trust_remote_code=true", "model.w_out=model.layers.{}.mlp.back")
    assert dry_run(confirmed).facts.guess is None


def test_locating_alone_gives_the_neurons_apply_edits(
    tiny_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = tiny_recipe(tiny_checkpoint("llama"))
    found = locate_only(recipe)
    made = apply(recipe, output=tmp_path / "p.editkit.safetensors", track=False)
    assert found.neurons == made.neurons
    assert [len(tokens) for tokens in found.decoded] == [10] * 12
    assert len(found.per_edit) == 1


def test_layers_are_those_asked_for(tiny_checkpoint: Callable[..., Path]) -> None:
    found = locate_only(tiny_recipe(tiny_checkpoint("llama"), "locate.layers=last_half", "locate.top=5"))
    assert {neuron.layer for neuron in found.neurons} <= {1, 2}
    assert len(found.neurons) == 5


def test_what_can_not_be_done_leaves_no_patch(tiny_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    output = tmp_path / "p.editkit.safetensors"
    text = (FACT % tiny_checkpoint("llama")).replace(
        "rewrite: {prompt: I see a, from: gun, to: cup, paraphrases: [You see a]}", "suppress: submarine"
    )
    with pytest.raises(InputError, match="no form of the source"):
        apply(
            parse_recipe(text.replace("edits:", "probe: {prompts: [a, b]}\nedits:")),
            output=output,
            track=False,
        )
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_told_before_the_long_work(
    tiny_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    told: list[Event] = []
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        apply(
            tiny_recipe(tiny_checkpoint("llama")),
            output=tmp_path / "file" / "p.editkit.safetensors",
            tell=told.append,
            track=False,
        )
    assert told == []
