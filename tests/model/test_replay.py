"""Replaying only what an edit can change gives what the whole model would give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs, log_probabilities
from editkit.model.hooks import adding
from editkit.model.replay import Replay, replay
from editkit.plan import Question

SAID = [[40, 50], [], [60, 61, 62]]


def whole(editable: Editable, questions: list[Question], rows: Any) -> torch.Tensor:
    """The asked logits of the model itself, with hooks."""
    fed = feed(editable, questions, SAID)
    with adding(editable, rows), torch.no_grad():
        logits = editable.model(**call_inputs(editable, fed)).logits
    picked = [
        logits[row, fed.n_prompt - 1 + at] for row, said in enumerate(SAID) for at in range(len(said) + 1)
    ]
    return torch.stack(picked)


def record(editable: Editable, questions: list[Question], rows: Any) -> Replay:
    return replay(editable, questions, SAID, {key: neurons for key, (neurons, _) in rows.items()})


@given(seed=st.integers(0, 2**31), layers=st.sampled_from([[0, 1, 2], [0], [1], [2], [1, 2], [0, 2]]))
@settings(max_examples=8)
def test_replayed_logits_are_the_models(
    any_model: Editable,
    ask: Callable[..., list[Question]],
    random_rows: Callable[..., Any],
    seed: int,
    layers: list[int],
) -> None:
    rows = random_rows(any_model, seed, layers)
    found = record(any_model, ask(any_model), rows)
    expected = whole(any_model, ask(any_model), rows)
    assert found.whole is None, "these models need not be run whole"
    assert found.left is not None, "nor their lowest layer again"
    for shortcut in (True, False):
        with torch.no_grad():
            replayed = found.logits(rows, shortcut=shortcut)
        assert torch.allclose(replayed, expected, atol=1e-3, rtol=1e-4)


def test_before_is_the_unedited_model(
    any_model: Editable, ask: Callable[..., list[Question]], random_rows: Callable[..., Any]
) -> None:
    found = record(any_model, ask(any_model), random_rows(any_model, 0))
    own = torch.cat(log_probabilities(any_model, ask(any_model), SAID))
    assert torch.allclose(found.before(), own, atol=1e-4)
    assert found.where.lengths == (3, 1, 4)


def test_gradients_are_those_of_the_whole_model(
    any_model: Editable, ask: Callable[..., list[Question]], random_rows: Callable[..., Any]
) -> None:
    rows = random_rows(any_model, 7, [1, 2])
    found = record(any_model, ask(any_model), rows)
    fed = feed(any_model, ask(any_model), SAID)
    gradients = []
    for run in (
        lambda own: found.logits(own),
        lambda own: _hooked(any_model, fed, own)[found.where.rows, found.where.columns],
    ):
        own = {key: (neurons, delta.clone().requires_grad_(True)) for key, (neurons, delta) in rows.items()}
        run(own).log_softmax(-1)[:, 40].sum().backward()
        gradients.append([delta.grad for _, delta in own.values()])
    for first, second in zip(*gradients, strict=True):
        assert torch.allclose(first, second, atol=1e-3, rtol=1e-3)
        assert float(second.abs().max()) > 1e-3


def _hooked(editable: Editable, fed: Any, rows: Any) -> torch.Tensor:
    with adding(editable, rows):
        logits: torch.Tensor = editable.model(**call_inputs(editable, fed)).logits
    return logits


def test_no_hooks_are_left(
    any_model: Editable, ask: Callable[..., list[Question]], random_rows: Callable[..., Any]
) -> None:
    def count() -> int:
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in any_model.model.modules())

    before = count()
    record(any_model, ask(any_model), random_rows(any_model, 0)).logits(random_rows(any_model, 0))
    assert count() == before


def test_a_model_with_more_than_layers_and_a_head_is_run_whole(
    llama: Editable,
    ask: Callable[..., list[Question]],
    random_rows: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Gemma 2 does with its soft cap: what the head says is changed once more, outside of any module."""
    plain = llama.model.forward

    def capped(*args: Any, **named: Any) -> Any:
        out = plain(*args, **named)
        out.logits = torch.tanh(out.logits)
        return out

    monkeypatch.setattr(llama.model, "forward", capped)
    rows = random_rows(llama, 1, [1])
    found = record(llama, ask(llama), rows)
    assert found.whole is not None
    expected = whole(llama, ask(llama), rows)
    assert torch.allclose(found.logits(rows), expected, atol=1e-5)
    assert torch.allclose(found.before(), whole(llama, ask(llama), {}).log_softmax(-1), atol=1e-5)


def test_a_layer_that_scales_what_w_out_adds_is_run_again(
    llama: Editable,
    ask: Callable[..., list[Question]],
    random_rows: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Granite does: the shortcut past the lowest edited layer would be wrong by that factor."""
    mlp = llama.layers[1].mlp
    plain = mlp.forward
    monkeypatch.setattr(mlp, "forward", lambda hidden: 0.5 * plain(hidden))
    rows = random_rows(llama, 1, [1])
    found = record(llama, ask(llama), rows)
    assert found.whole is None
    assert found.left is None
    assert torch.allclose(found.logits(rows), whole(llama, ask(llama), rows), atol=1e-3)
