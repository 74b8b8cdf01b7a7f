"""A delta goes into the rows, and every bit comes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from editkit.delta import Delta, LayerDelta
from editkit.errors import ModelError, UsageError
from editkit.model.changing import changed
from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities
from editkit.model.hooks import adding
from editkit.model.open import open_model
from editkit.plan import Question
from editkit.recipe import ModelRef

BITS = {torch.float32: torch.int32, torch.bfloat16: torch.int16, torch.float16: torch.int16}
SAID = [[20, 21], [], [22]]


def bits(editable: Editable) -> dict[str, torch.Tensor]:
    """Every weight as integers: equal bits, not equal numbers."""
    return {name: w.detach().clone().view(BITS[w.dtype]) for name, w in editable.model.named_parameters()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def as_delta(rows: Any) -> Delta:
    return Delta(
        tuple(
            LayerDelta(layer, expert, tuple(neurons.tolist()), added.float().numpy())
            for (layer, expert), (neurons, added) in rows.items()
        )
    )


class Boom(Exception):
    pass


@given(seed=st.integers(0, 2**31), fails=st.booleans(), count=st.integers(1, 40))
@settings(max_examples=15)
def test_every_bit_comes_back(
    any_model: Editable, random_rows: Callable[..., Any], seed: int, fails: bool, count: int
) -> None:
    before = bits(any_model)
    with suppress(Boom), changed(any_model, as_delta(random_rows(any_model, seed, None, count))):
        assert not same(before, bits(any_model))
        if fails:
            raise Boom
    assert same(before, bits(any_model))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("family", ["llama", "gpt2", "llava"])
def test_listed_rows_are_rounded_sums_and_no_other_moves(
    tiny: Callable[..., Editable], random_rows: Callable[..., Any], family: str, dtype: str
) -> None:
    editable = tiny(family, dtype)
    rows, before = random_rows(editable, 4, [0, 2]), bits(editable)
    expected = {key: editable.w_out(*key).rows.detach().clone() for key in editable.matrices(range(3))}
    for key, (neurons, added) in rows.items():
        expected[key][neurons] = (expected[key][neurons].float() + added).to(expected[key].dtype)
    with changed(editable, as_delta(rows)):
        assert all(torch.equal(editable.w_out(*key).rows, values) for key, values in expected.items())
        moved = bits(editable)
    assert {name for name in before if not torch.equal(before[name], moved[name])} == {
        editable.w_out(layer).parameter for layer in (0, 2)
    }
    assert same(before, bits(editable))


@given(seed=st.integers(0, 2**31))
@settings(max_examples=6)
def test_written_is_what_is_hooked(
    any_model: Editable, ask: Callable[..., list[Question]], random_rows: Callable[..., Any], seed: int
) -> None:
    rows = random_rows(any_model, seed)
    before = log_probabilities(any_model, ask(any_model), SAID)
    with adding(any_model, rows):
        hooked = log_probabilities(any_model, ask(any_model), SAID)
    with changed(any_model, as_delta(rows)):
        written = log_probabilities(any_model, ask(any_model), SAID)
    for one, other, old in zip(hooked, written, before, strict=True):
        scale = max(1.0, float(other.abs().max()))
        assert float((one - other).abs().max()) <= 1e-5 * scale
        assert not torch.allclose(old, other, atol=1e-2)


def test_blocks_may_be_nested_on_the_same_rows(any_model: Editable, random_rows: Callable[..., Any]) -> None:
    delta, before = as_delta(random_rows(any_model, 5)), bits(any_model)
    twice = Delta((*delta.layers, *delta.layers))
    with changed(any_model, delta), changed(any_model, delta):
        inside = bits(any_model)
    assert same(before, bits(any_model))
    with changed(any_model, twice):
        assert same(inside, bits(any_model))
    assert same(before, bits(any_model))


def test_an_empty_delta_changes_nothing(llama: Editable) -> None:
    before = bits(llama)
    with changed(llama, Delta(())):
        assert same(before, bits(llama))


def test_an_offloaded_model_is_changed_and_given_back(
    tiny_checkpoint: Callable[..., Path],
    tiny: Callable[..., Editable],
    ask: Callable[..., list[Question]],
    random_rows: Callable[..., Any],
) -> None:
    memory = tiny("gpt2")
    disk = open_model(ModelRef(id=str(tiny_checkpoint("gpt2")), device="auto", max_memory={"cpu": "30KB"}))
    assert any(weight.is_meta for weight in disk.model.parameters())
    delta, rows = as_delta(random_rows(memory, 3)), [place.rows.clone() for place in disk.w_outs]
    with changed(memory, delta):
        expected = log_probabilities(memory, ask(memory), SAID)
    with changed(disk, delta):
        found = log_probabilities(disk, ask(memory), SAID)
    assert all(torch.equal(one, other) for one, other in zip(expected, found, strict=True))
    assert all(torch.equal(old, place.rows) for old, place in zip(rows, disk.w_outs, strict=True))


def part(
    layer: int, neuron: int, width: int = 32, value: float = 1.0, expert: int | None = None
) -> LayerDelta:
    return LayerDelta(layer, expert, (neuron,), np.full((1, width), value, np.float32))


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        (part(7, 0), UsageError, "has layers 0 to 2, not 7"),
        (part(0, 48), UsageError, "has no L0.N48"),
        (part(0, 0, expert=1), UsageError, "layer 0 has no experts"),
        (part(0, 0, width=8), ModelError, "rows have 8 values, the model's 32"),
        (part(0, 0, value=1e6), ModelError, r"no number in torch\.float16"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    tiny: Callable[..., Editable], wrong: LayerDelta, error: type[Exception], told: str
) -> None:
    editable = tiny("llama", "float16")
    before = bits(editable)
    with pytest.raises(error, match=told), changed(editable, Delta((part(1, 3), wrong))):
        pass
    assert same(before, bits(editable))
