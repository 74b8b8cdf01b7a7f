"""The decoding loop: greedy means the likeliest token each time, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import log_probabilities
from editkit.model.generate import answers
from editkit.plan import Question


def test_greedy_is_the_likeliest_token_each_time(
    any_model: Editable, ask: Callable[..., list[Question]]
) -> None:
    for question, answer in zip(
        ask(any_model), answers(any_model, ask(any_model), max_new_tokens=6), strict=True
    ):
        table = log_probabilities(any_model, [question], [answer.tokens])[0]
        assert table.argmax(-1)[: len(answer.tokens)].tolist() == list(answer.tokens)
        if len(answer.tokens) < 6:
            assert int(table[-1].argmax()) == any_model.tokenizer.eos_token_id
        assert answer.text == any_model.tokenizer.decode(answer.tokens, skip_special_tokens=True)


def test_answers_come_in_the_order_of_the_questions(
    any_model: Editable, ask: Callable[..., list[Question]]
) -> None:
    questions = ask(any_model)
    alone = [answers(any_model, [question], max_new_tokens=5)[0] for question in questions]
    assert answers(any_model, questions, max_new_tokens=5) == alone
    assert answers(any_model, questions[::-1], max_new_tokens=5, batch_size=2) == alone[::-1]


def test_the_end_is_no_part_of_an_answer(llama: Editable, ask: Callable[..., list[Question]]) -> None:
    def end_after_two(
        questions: Sequence[Question], said: Sequence[list[int]], scores: torch.Tensor
    ) -> torch.Tensor:
        forced = torch.full_like(scores, -1e9)
        for row, tokens in enumerate(said):
            forced[row, 40 if len(tokens) < 2 else llama.tokenizer.eos_token_id] = 0.0
        return forced

    found = answers(llama, ask(llama), max_new_tokens=9, adjust=end_after_two)
    assert [answer.tokens for answer in found] == [(40, 40)] * 3


def test_adjusting_sees_the_models_own_log_probabilities(
    any_model: Editable, ask: Callable[..., list[Question]]
) -> None:
    seen: list[tuple[list[str], list[list[int]], torch.Tensor]] = []

    def look(questions: Sequence[Question], said: Sequence[list[int]], scores: torch.Tensor) -> torch.Tensor:
        seen.append(([q.prompt for q in questions], [list(row) for row in said], scores.clone()))
        return scores

    answers(any_model, ask(any_model), max_new_tokens=2, adjust=look)
    prompts, said, scores = seen[0]
    assert said == [[], [], []]
    by_prompt = {question.prompt: question for question in ask(any_model)}
    own = log_probabilities(any_model, [by_prompt[prompt] for prompt in prompts], [[], [], []])
    assert torch.allclose(scores, torch.cat(own), atol=1e-4)


def test_drawing_follows_the_seed(llama: Editable, ask: Callable[..., list[Question]]) -> None:
    def draw(seed: int) -> list[tuple[int, ...]]:
        return [a.tokens for a in answers(llama, ask(llama)[:1] * 4, max_new_tokens=8, sample=(1.0, seed))]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert len(set(draw(1))) > 1


def test_progress_is_told(llama: Editable, ask: Callable[..., list[Question]]) -> None:
    told: list[int] = []
    answers(llama, ask(llama), max_new_tokens=1, batch_size=2, advance=told.append)
    assert told == [2, 1]


def test_an_answer_that_may_be_longer_than_the_context_is_refused(
    llama: Editable, ask: Callable[..., list[Question]]
) -> None:
    questions = ask(llama)
    longest = max(feed(llama, [question]).n_prompt for question in questions)
    assert len(answers(llama, questions, max_new_tokens=128 - longest)) == 3
    with pytest.raises(
        InputError, match=rf"leaves {128 - longest} of the 128 .* begins 'Describe.* lower max_new"
    ):
        answers(llama, questions, max_new_tokens=129 - longest)
