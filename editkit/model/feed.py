"""Questions -> the tensors a model takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from editkit.model.editable import Editable
from editkit.model.encoding import TYPES, encode
from editkit.model.room import check_room
from editkit.plan import Question

# How what a processor returns per token, beside ids and mask, goes on behind the prompt.
ANSWER_TYPE: Final = {"paligemma": 1}  # an answer's type; where none is given text has one, 0
SIGHT: Final = frozenset({"cross_attention_mask", "image_attention_mask"})  # sees what the last token saw


@dataclass(frozen=True)
class Fed:
    """A batch, padded left.

    Attributes:
        inputs: what the model's forward takes; `input_ids` is `[n, n_tokens]`.
        n_prompt: where continuations start in the sequence that is gone on with: behind the padded prompts,
            or behind the start token of a decoder whose prompt an encoder reads.
        lengths: tokens of each continuation, `n` of them.
        sizes: `(width, height)` of each picture of each question.
    """

    inputs: dict[str, Tensor]
    n_prompt: int
    lengths: tuple[int, ...]
    sizes: tuple[tuple[tuple[int, int], ...], ...]


_LISTENERS: ContextVar[tuple[Callable[[Fed], None], ...]] = ContextVar("listeners", default=())


@contextmanager
def overhearing(listen: Callable[[Fed], None]) -> Iterator[None]:
    """Call `listen` with every batch fed in the block, by whoever: a model's own inputs say less of it."""
    token = _LISTENERS.set((*_LISTENERS.get(), listen))
    try:
        yield
    finally:
        _LISTENERS.reset(token)


def feed(
    editable: Editable,
    questions: Sequence[Question],
    said: Sequence[Sequence[int]] | None = None,
    *,
    wanted: int = 0,
) -> Fed:
    """A batch of questions of one sort (all chat or all plain, all with as many pictures or none).

    Args:
        said: continuations to append, in tokens (teacher forcing), padded right and masked.
        wanted: how many tokens an answer may have, for which there has to be room.

    Raises:
        InputError: see `encode` and `check_room`.
    """
    encoded = encode(editable, questions)
    inputs, n_prompt = encoded.inputs, encoded.inputs["input_ids"].shape[1]
    lengths = tuple(len(tokens) for tokens in said) if said is not None else (0,) * len(questions)
    check_room(editable, questions, inputs, lengths, wanted)
    longer = max(lengths)
    pad = editable.tokenizer.pad_token_id or 0
    tokens = [[*row, *[pad] * (longer - len(row))] for row in said or [[]] * len(questions)]
    if editable.encoder_decoder:
        if said is not None:
            inputs["decoder_input_ids"] = torch.tensor([[_first(editable), *row] for row in tokens])
        n_prompt = 1
    elif longer:
        seen = [[1] * length + [0] * (longer - length) for length in lengths]
        kind = ANSWER_TYPE.get(editable.model.config.model_type, 0)
        _lengthen(inputs, torch.tensor(tokens), torch.tensor(seen), kind)
    placed = {
        name: value.to(editable.device, editable.model.dtype if value.is_floating_point() else value.dtype)
        for name, value in inputs.items()
    }
    fed = Fed(placed, n_prompt, lengths, encoded.sizes)
    for listen in _LISTENERS.get():
        listen(fed)
    return fed


def _lengthen(inputs: dict[str, Tensor], tokens: Tensor, seen: Tensor, kind: int) -> None:
    types = {name: torch.full_like(tokens, kind) for name in TYPES}
    more = {"input_ids": tokens, "attention_mask": seen, **types}
    for name, value in inputs.items():
        if name in SIGHT:
            inputs[name] = torch.cat([value, *[value[:, -1:]] * tokens.shape[1]], dim=1)
        elif name in more:
            inputs[name] = torch.cat([value, more[name].to(value.dtype)], dim=1)


def _first(editable: Editable) -> int:
    """The token a decoder's answer begins with."""
    for config in (editable.model.generation_config, editable.model.config, editable.text_config):
        found: int | None = getattr(config, "decoder_start_token_id", None)
        if found is not None:
            return found
    return int(editable.tokenizer.pad_token_id)


def batches(questions: Sequence[Question], size: int) -> list[list[int]]:
    """Positions of questions that can be fed together, at most `size` in a batch, in order of first sight."""
    sorts: dict[tuple[bool, int], list[int]] = {}
    for position, question in enumerate(questions):
        sorts.setdefault((question.chat, len(question.images)), []).append(position)
    chunks = []
    for places in sorts.values():
        ordered = sorted(places, key=lambda position: len(questions[position].prompt))
        chunks += [ordered[start : start + size] for start in range(0, len(ordered), size)]
    return chunks
