"""Questions -> the tensors a model takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.plan import Question


@dataclass(frozen=True)
class Fed:
    """A batch, padded left.

    Attributes:
        inputs: what the model's forward takes; `input_ids` is `[n, n_tokens]`.
        n_prompt: length of the padded prompts; continuations start there.
        lengths: tokens of each continuation, `n` of them.
    """

    inputs: dict[str, Tensor]
    n_prompt: int
    lengths: tuple[int, ...]


def prompt_text(editable: Editable, question: Question) -> str:
    """The text of a prompt as the model reads it: a chat turn where asked for, plain text otherwise.

    Raises:
        InputError: pictures for a model that takes none.
    """
    if question.images and not editable.accepts_images:
        raise InputError(f"{editable.name} takes no pictures: give prompts or texts instead of images")
    if question.chat:
        content: list[dict[str, str]] = [{"type": "image"} for _ in question.images]
        content.append({"type": "text", "text": question.prompt})
        message = {"role": "user", "content": content if editable.accepts_images else question.prompt}
        text: str = editable.processor.apply_chat_template(
            [message], add_generation_prompt=True, tokenize=False
        )
        return text
    if question.images:
        token = getattr(editable.processor, "image_token", "<image>")
        return f"{token * len(question.images)}\n{question.prompt}"
    return question.prompt


def _encode(editable: Editable, questions: Sequence[Question]) -> dict[str, Tensor]:
    texts = [prompt_text(editable, question) for question in questions]
    # A chat template writes the special tokens itself; a plain prompt gets the tokenizer's own.
    options: dict[str, Any] = {
        "add_special_tokens": not questions[0].chat,
        "padding": True,
        "return_tensors": "pt",
    }
    if questions[0].images:
        pictures = [[picture.open() for picture in question.images] for question in questions]
        encoded = editable.processor(images=pictures, text=texts, **options)
    else:
        encoded = editable.tokenizer(texts, **options)
    encoded.pop("token_type_ids", None)
    return {name: value for name, value in encoded.items() if isinstance(value, Tensor)}


def feed(
    editable: Editable, questions: Sequence[Question], said: Sequence[Sequence[int]] | None = None
) -> Fed:
    """A batch of questions of one sort (all chat or all plain, all with or all without pictures).

    Args:
        said: continuations to append, in tokens (teacher forcing), padded right and masked.

    Raises:
        InputError: a prompt is longer than the model's context.
    """
    inputs = _encode(editable, questions)
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    n_prompt = ids.shape[1]
    lengths = tuple(len(tokens) for tokens in said) if said is not None else (0,) * len(questions)
    longest, limit = n_prompt + max(lengths), editable.context_length
    if limit is not None and longest > limit:
        raise InputError(
            f"a prompt of {longest} tokens does not fit into the {limit} of {editable.name}: shorten it "
            f"(it begins {questions[0].prompt[:40]!r})"
        )
    if said is not None and max(lengths) > 0:
        pad = editable.tokenizer.pad_token_id or 0
        rows = [[*tokens, *[pad] * (max(lengths) - len(tokens))] for tokens in said]
        seen = [[1] * len(tokens) + [0] * (max(lengths) - len(tokens)) for tokens in said]
        inputs["input_ids"] = torch.cat([ids, torch.tensor(rows, dtype=ids.dtype)], dim=1)
        inputs["attention_mask"] = torch.cat([mask, torch.tensor(seen, dtype=mask.dtype)], dim=1)
    placed = {
        name: value.to(editable.device, editable.model.dtype if value.is_floating_point() else value.dtype)
        for name, value in inputs.items()
    }
    return Fed(placed, n_prompt, lengths)


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
