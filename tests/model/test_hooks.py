"""Watching a model and adding to it: true while it lasts, gone afterwards."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.model.hooks import adding, recording
from editkit.model.patching import patched
from editkit.neuron import MatrixKey
from editkit.patch.file import Patch
from editkit.plan import Question


def logits(editable: Editable, questions: list[Question]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = editable.model(**call_inputs(editable, feed(editable, questions))).logits
    return found


def hooks(editable: Editable) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in editable.model.modules())


class Boom(Exception):
    pass


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_behind(any_model: Editable, random_rows: Callable[..., Any], fails: bool) -> None:
    before = hooks(any_model)
    rows = random_rows(any_model, 0)
    with suppress(Boom), recording(any_model, lambda key, seen: None), adding(any_model, rows):
        assert hooks(any_model) == before + 9
        if fails:
            raise Boom
    assert hooks(any_model) == before


def test_recorded_is_what_w_out_multiplies(any_model: Editable, ask: Callable[..., list[Question]]) -> None:
    fed = feed(any_model, ask(any_model))
    entered: dict[MatrixKey, torch.Tensor] = {}
    left: dict[int, torch.Tensor] = {}
    removers = [
        place.module.register_forward_hook(lambda m, i, out, layer=place.layer: left.update({layer: out}))
        for place in any_model.w_outs
    ]
    try:
        with recording(any_model, lambda key, seen: entered.update({key: seen})), torch.no_grad():
            any_model.model(**call_inputs(any_model, fed))
    finally:
        for remover in removers:
            remover.remove()
    for place in any_model.w_outs:
        bias = getattr(place.module, "bias", None)
        made = entered[place.key] @ place.rows + (0.0 if bias is None else bias)
        assert torch.allclose(made, left[place.layer], atol=1e-5)


@given(seed=st.integers(0, 2**31))
@settings(max_examples=6)
def test_hooked_equals_written(
    any_model: Editable,
    ask: Callable[..., list[Question]],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    seed: int,
) -> None:
    rows = random_rows(any_model, seed)
    before = logits(any_model, ask(any_model))
    with adding(any_model, rows):
        hooked = logits(any_model, ask(any_model))
    with patched(any_model.model, patch_of(any_model, rows)):
        written = logits(any_model, ask(any_model))
    scale = float(written.abs().max())
    assert float((hooked - written).abs().max()) <= 1e-5 * max(1.0, scale)
    assert not torch.allclose(before, written, atol=1e-2)


def test_a_zero_delta_changes_nothing(
    any_model: Editable, ask: Callable[..., list[Question]], random_rows: Callable[..., Any]
) -> None:
    before = logits(any_model, ask(any_model))
    nothing = {
        key: (neurons, torch.zeros_like(delta)) for key, (neurons, delta) in random_rows(any_model, 1).items()
    }
    with adding(any_model, nothing):
        assert torch.equal(logits(any_model, ask(any_model)), before)


def test_gradients_reach_the_delta(
    llama: Editable, ask: Callable[..., list[Question]], random_rows: Callable[..., Any]
) -> None:
    neurons, delta = random_rows(llama, 2)[0, None]
    delta.requires_grad_(True)
    with adding(llama, {(0, None): (neurons, delta)}):
        llama.model(**call_inputs(llama, feed(llama, ask(llama)))).logits.sum().backward()
    assert delta.grad is not None
    assert bool((delta.grad.abs().sum(1) > 0).all())
