"""Weights that are not simply in memory: offloaded to disk, or packed in 8 or 4 bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.errors import ModelError, SolveError
from editkit.events import nobody
from editkit.locate.contribution import Contribution
from editkit.model.changing import changed
from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities
from editkit.model.generate import answers
from editkit.model.open import open_model
from editkit.model.patching import patched, write_patch
from editkit.neuron import Neuron, Neurons
from editkit.patch.file import Patch
from editkit.plan import Case, EditPlan, PlannedEdit, Question, Wanted
from editkit.recipe import ModelRef
from editkit.solve.erase import Erase
from editkit.solve.gradient import Gradient

SAID = [[20, 21], [], [22]]
SOME = tuple(Neuron(layer, index) for layer in range(3) for index in (2, 30))


@pytest.fixture(params=["llama", "gpt2", "llava"])
def pair(request: pytest.FixtureRequest, tiny_checkpoint: Callable[..., Path]) -> tuple[Editable, Editable]:
    """The same checkpoint in memory, and on disk but for what is being run."""
    folder = str(tiny_checkpoint(request.param))
    disk = ModelRef(id=folder, device="auto", max_memory={"cpu": "30KB"})
    return open_model(ModelRef(id=folder)), open_model(disk)


def test_an_offloaded_model_says_and_scores_the_same(
    pair: tuple[Editable, Editable],
    ask: Callable[..., list[Question]],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
) -> None:
    memory, disk = pair
    assert "disk" in disk.model.hf_device_map.values()
    assert any(weight.is_meta for weight in disk.model.parameters())
    cases = tuple(make_case(memory.tokenizer, asked, " a gun") for asked in ask(memory))
    edit = make_edit(memory.tokenizer, "gun")
    before, after = log_probabilities(memory, ask(memory), SAID), log_probabilities(disk, ask(memory), SAID)
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    first, second = (
        Contribution().scores(some, EditPlan((edit,), cases, 1), (0, 1, 2), nobody)[0] for some in pair
    )
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_an_offloaded_model_is_solved_and_patched_like_any(
    pair: tuple[Editable, Editable],
    ask: Callable[..., list[Question]],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
) -> None:
    memory, disk = pair
    cup = tuple(memory.tokenizer.encode(" cup", add_special_tokens=False))
    wanted = Wanted(" cup", cup, tuple(range(len(cup))))
    cases = tuple(make_case(memory.tokenizer, asked, " a gun", wanted=wanted) for asked in ask(memory))
    chosen = Neurons(SOME, (0.0,) * len(SOME), "listed")
    plan = EditPlan((make_edit(memory.tokenizer, "gun", kind="rewrite", target="cup"),), cases, 3)
    solver = Gradient(max_ratio=None, steps=5, kl_weight=0.0)
    deltas = [solver.solve(some, plan, chosen, seed=0, tell=nobody) for some in pair]
    for one, other in zip(deltas[0].layers, deltas[1].layers, strict=True):
        assert torch.allclose(torch.from_numpy(one.rows), torch.from_numpy(other.rows), atol=1e-6)
    patch = patch_of(memory, random_rows(memory, 3))
    unedited = log_probabilities(disk, ask(memory), SAID)
    with patched(memory.model, patch):
        expected = log_probabilities(memory, ask(memory), SAID)
    with patched(disk.model, patch):
        found = log_probabilities(disk, ask(memory), SAID)
    again = log_probabilities(disk, ask(memory), SAID)
    assert all(torch.equal(one, other) for one, other in zip(expected, found, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(unedited, again, strict=True))


@pytest.fixture(scope="module")
def wide_checkpoint(tiny: Callable[..., Editable], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama whose sides are multiples of 64, as bitsandbytes packs them."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    small = tiny("llama")
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_key_value_heads": 4, "head_dim": 16}
    folder = tmp_path_factory.mktemp("wide") / "llama"
    LlamaForCausalLM(LlamaConfig(**(small.model.config.to_dict() | sizes))).save_pretrained(folder)
    small.tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("bits", ["8bit", "4bit"])
def test_a_packed_model_is_located_on_and_evaluated_but_not_solved(
    wide_checkpoint: Path,
    ask: Callable[..., list[Question]],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    bits: str,
) -> None:
    pytest.importorskip("bitsandbytes")
    folder = str(wide_checkpoint)
    packed, whole = open_model(ModelRef(id=folder, load_in=bits)), open_model(ModelRef(id=folder))
    cases = tuple(make_case(packed.tokenizer, asked, " a gun") for asked in ask(packed))
    edit = make_edit(packed.tokenizer, "gun")
    plan = EditPlan((edit,), cases, 3)
    apart = packed.w_out(1).rows.float() - whole.w_out(1).rows
    assert 0 < float(apart.norm() / whole.w_out(1).rows.norm()) < (0.02 if bits == "8bit" else 0.25)
    found = Contribution().locate(packed, plan, (0, 1, 2), 20, nobody)[0]
    alike = Contribution().locate(whole, plan, (0, 1, 2), 20, nobody)[0]
    assert len(set(found.items) & set(alike.items)) >= 10
    again = packed.w_out(1).rows.float() - whole.w_out(1).rows
    assert torch.allclose(apart, again, atol=1e-2), "read the same after the model has run"
    assert len(answers(packed, ask(packed), max_new_tokens=2)) == 3
    with pytest.raises(SolveError, match=r"packed in 8 or 4 bits.*model\.load_in"):
        Gradient().solve(packed, plan, found, seed=0, tell=nobody)
    with pytest.raises(SolveError, match=r"packed in 8 or 4 bits.*model\.load_in"):
        Erase().solve(packed, plan, found, seed=0, tell=nobody)
    erased = Erase().solve(whole, plan, found, seed=0, tell=nobody)
    with pytest.raises(ModelError, match=r"packed in 8 or 4 bits.*model\.load_in"), changed(packed, erased):
        pass
    with pytest.raises(ModelError, match=r"packed in 8 or 4 bits.*model\.load_in"):
        write_patch(packed.model, patch_of(whole, random_rows(whole, 0)))
