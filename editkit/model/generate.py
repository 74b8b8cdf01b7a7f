"""The one decoding loop: greedy answers of a model to questions, and answers in which words are forbidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from editkit.model.editable import Editable
from editkit.model.feed import batches, feed
from editkit.plan import Question

# A checkpoint's own settings would bend what is measured: Qwen2.5's, for one, punish repetition.
PLAIN: Final[dict[str, Any]] = {
    "do_sample": False,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "num_beams": 1,
    "min_length": 0,
    "min_new_tokens": None,
    "bad_words_ids": None,
    "length_penalty": 1.0,
    "max_length": None,
}
Adjust = Callable[[Sequence[Question], Sequence[list[int]], Tensor], Tensor]


@dataclass(frozen=True)
class Answer:
    """What a model says: the text without special tokens, and the tokens without the end token."""

    text: str
    tokens: tuple[int, ...]


def _ends(editable: Editable) -> list[int]:
    ends = editable.model.generation_config.eos_token_id
    if ends is None:
        ends = editable.tokenizer.eos_token_id
    return [] if ends is None else [ends] if isinstance(ends, int) else list(ends)


@torch.no_grad()
def answers(
    editable: Editable,
    questions: Sequence[Question],
    *,
    max_new_tokens: int,
    batch_size: int = 64,
    adjust: Adjust | None = None,
    sample: tuple[float, int] | None = None,
    advance: Callable[[int], Any] = lambda steps: None,
) -> list[Answer]:
    """Greedy answers, in the order of the questions.

    Args:
        adjust: called with the batch's questions, what is said so far and the next token's
            log-probabilities `[n, d_vocab]`; returns the ones to choose from.
        sample: (temperature, seed) to draw tokens instead of taking the likeliest.
        advance: told how many questions are answered.

    Raises:
        InputError: see `feed`.
    """
    found: list[Answer | None] = [None] * len(questions)
    if sample is not None:
        torch.manual_seed(sample[1])  # once: seeded anew, every batch of one prompt would draw the same
    for places in batches(questions, batch_size):
        tokens = _continue(editable, [questions[place] for place in places], max_new_tokens, adjust, sample)
        for place, row in zip(places, tokens, strict=True):
            text = editable.tokenizer.decode(row, skip_special_tokens=True)
            found[place] = Answer(text, tuple(row))
        advance(len(places))
    return [answer for answer in found if answer is not None]


def _continue(
    editable: Editable,
    questions: Sequence[Question],
    max_new_tokens: int,
    adjust: Adjust | None,
    sample: tuple[float, int] | None,
) -> list[list[int]]:
    from transformers import LogitsProcessorList

    fed = feed(editable, questions, wanted=max_new_tokens)
    options = dict(PLAIN)
    if sample is not None:
        options |= {"do_sample": True, "temperature": sample[0], "top_k": 0, "top_p": 1.0}
    unsaid = editable.picture_tokens

    def process(tokens: Tensor, logits: Tensor) -> Tensor:
        scores = logits
        if adjust is not None:
            scores = adjust(questions, tokens[:, fed.n_prompt :].tolist(), logits.float().log_softmax(-1))
        if unsaid:
            scores = scores.index_fill(1, torch.tensor(unsaid, device=scores.device), -torch.inf)
        return scores

    options["logits_processor"] = LogitsProcessorList([process])
    ends = _ends(editable)
    out = editable.model.generate(
        **fed.inputs,
        max_new_tokens=max_new_tokens,
        pad_token_id=editable.tokenizer.pad_token_id,
        eos_token_id=ends or None,
        **options,
    )
    rows = []
    for row in out[:, fed.n_prompt :].tolist():
        stop = next((place for place, token in enumerate(row) if token in ends), len(row))
        rows.append(row[:stop])
    return rows
