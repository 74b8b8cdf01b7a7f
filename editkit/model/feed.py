"""Questions -> the tensors a model takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.plan import Question

# Processors that put the pictures' tokens into a prompt themselves.
OWN_PLACE: Final = frozenset({"Blip2Processor", "InstructBlipProcessor", "PaliGemmaProcessor"})
# What a processor returns per token beside ids and mask, and how it goes on behind the prompt.
TYPES: Final = frozenset({"token_type_ids", "mm_token_type_ids"})
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
    if question.images and type(editable.processor).__name__ not in OWN_PLACE:
        token = getattr(editable.processor, "image_token", "<image>")
        return f"{token * len(question.images)}\n{question.prompt}"
    return question.prompt


def _encode(editable: Editable, questions: Sequence[Question]) -> dict[str, Tensor]:
    texts = [prompt_text(editable, question) for question in questions]
    # Some chat templates write the first token of all sequences, others leave it to the tokenizer.
    begins = editable.tokenizer.bos_token
    options: dict[str, Any] = {
        "add_special_tokens": begins is None or not texts[0].startswith(begins),
        "padding": True,
        "return_tensors": "pt",
    }
    if questions[0].images:
        encoded = editable.processor(images=_pictures(editable, questions), text=texts, **options)
    else:
        encoded = editable.tokenizer(texts, **options)
    found = {name: value for name, value in encoded.items() if isinstance(value, Tensor) and name != "labels"}
    if bool((found["attention_mask"].diff(dim=1) < 0).any()):
        _pad_left(found)
    return found


def _pictures(editable: Editable, questions: Sequence[Question]) -> list[Any]:
    """The pictures of each question; of one each where the processor wants it so.

    Raises:
        InputError: several pictures where the model takes one.
    """
    opened = [[picture.open() for picture in question.images] for question in questions]
    if type(editable.processor).__name__ in ("Blip2Processor", "InstructBlipProcessor"):
        if any(len(one) > 1 for one in opened):
            raise InputError(f"{editable.name} takes one picture at a time, and an input has several")
        return [one[0] for one in opened]
    return opened


def _pad_left(inputs: dict[str, Tensor]) -> None:
    """Some processors pad in the middle, between a picture's tokens and the prompt, or on the right."""
    mask = inputs["attention_mask"]
    order = mask.argsort(dim=1, stable=True)
    for name in ("input_ids", "attention_mask", *TYPES):
        if name in inputs:
            inputs[name] = inputs[name].gather(1, order)


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
    lengths = tuple(len(tokens) for tokens in said) if said is not None else (0,) * len(questions)
    n_prompt = inputs["input_ids"].shape[1]
    longest, limit = n_prompt + max(lengths), editable.context_length
    if limit is not None and longest > limit:
        raise InputError(
            f"a prompt of {longest} tokens does not fit into the {limit} of {editable.name}: shorten it "
            f"(it begins {questions[0].prompt[:40]!r})"
        )
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
    return Fed(placed, n_prompt, lengths)


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
