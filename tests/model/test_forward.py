"""What a model would have said next, whoever else is in the batch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import asked, log_probabilities, surprises
from editkit.plan import Question

TOKENS = st.lists(st.integers(4, 300), max_size=5)


@given(said=st.tuples(TOKENS, TOKENS, TOKENS))
@settings(max_examples=8)
def test_a_padded_batch_says_what_each_says_alone(
    any_model: Editable, ask: Callable[..., list[Question]], said: tuple[list[int], list[int], list[int]]
) -> None:
    questions = ask(any_model)
    together = log_probabilities(any_model, questions, said)
    alone = [log_probabilities(any_model, [q], [s])[0] for q, s in zip(questions, said, strict=True)]
    for first, second, tokens in zip(together, alone, said, strict=True):
        assert first.shape == (len(tokens) + 1, any_model.unembedding.shape[0])
        assert torch.allclose(first, second, atol=1e-4)


def test_they_are_the_models_own(any_model: Editable, ask: Callable[..., list[Question]]) -> None:
    question, said = ask(any_model)[2], [40, 50, 60]
    inputs = feed(any_model, [question], [said]).inputs
    with torch.no_grad():
        logits = any_model.model(**inputs).logits[0]
    own = logits[-4:].log_softmax(-1)
    assert torch.allclose(log_probabilities(any_model, [question], [said])[0], own, atol=1e-5)


def test_the_batch_size_does_not_matter(any_model: Editable, ask: Callable[..., list[Question]]) -> None:
    questions, said = ask(any_model), [[40], [50, 51], []]
    for first, second in zip(
        log_probabilities(any_model, questions, said, 1),
        log_probabilities(any_model, questions, said, 2),
        strict=True,
    ):
        assert torch.allclose(first, second, atol=1e-4)


def test_asked_positions_are_before_each_token_and_after_the_last(
    llama: Editable, ask: Callable[..., list[Question]]
) -> None:
    fed = feed(llama, ask(llama), [[9], [], [7, 8]])
    where = asked(fed, torch.device("cpu"))
    first = fed.n_prompt - 1
    assert where.lengths == (2, 1, 3)
    assert where.rows.tolist() == [0, 0, 1, 2, 2, 2]
    assert where.columns.tolist() == [first, first + 1, first, first, first + 1, first + 2]


def test_surprise_is_minus_the_log_probability(
    any_model: Editable, ask: Callable[..., list[Question]]
) -> None:
    said = [[20, 21, 22], [23], [24, 25]]
    likely = log_probabilities(any_model, ask(any_model), said)
    told: list[int] = []
    found = surprises(any_model, ask(any_model), said, advance=told.append)
    for own, row, tokens in zip(found, likely, said, strict=True):
        assert own == pytest.approx([-float(row[at, token]) for at, token in enumerate(tokens)], abs=1e-4)
    assert sum(told) == 3
    assert surprises(any_model, [], []) == []
