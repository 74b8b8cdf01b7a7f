"""Texts and pictures -> tensors, padded left, through a model's own tokenizer or processor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from PIL.Image import Image
from torch import Tensor

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.model.prompts import LINE_END, ONE_PICTURE, picture_mark, prompt_text
from editkit.plan import Question

# Processors that write the first token of a sequence themselves, and behind the pictures if need be.
BEGINNING: Final = frozenset({"IdeficsProcessor", "MllamaProcessor"})
# A processor that takes texts and pictures in one list, and texts without pictures like that too.
WOVEN: Final = "IdeficsProcessor"
# What a processor returns per token beside ids and mask.
TYPES: Final = frozenset({"token_type_ids", "mm_token_type_ids"})


@dataclass(frozen=True)
class Encoded:
    """A batch as the processor made it, padded left.

    Attributes:
        inputs: what the model's forward takes; `input_ids` is `[n, n_tokens]`.
        sizes: `(width, height)` of each picture of each question.
    """

    inputs: dict[str, Tensor]
    sizes: tuple[tuple[tuple[int, int], ...], ...]


def encode(editable: Editable, questions: Sequence[Question]) -> Encoded:
    """Questions of one sort: all chat or all plain, all with as many pictures.

    Raises:
        InputError: see `prompt_text`; or the processor refuses a picture.
    """
    texts = [prompt_text(editable, question) for question in questions]
    opened = [[picture.open() for picture in question.images] for question in questions]
    kind, begins = type(editable.processor).__name__, editable.tokenizer.bos_token
    shown = bool(questions[0].images)
    options: dict[str, Any] = {
        # Some chat templates write the first token of all sequences, others leave it to the tokenizer.
        "add_special_tokens": begins is None or not texts[0].startswith(begins),
        "padding": True,
        "truncation": False,  # which a tokenizer's own settings may ask for, and nobody would be told
        "max_length": None,
        "verbose": False,  # too long prompts are refused afterwards
        "return_tensors": "pt",
    }
    if kind in BEGINNING and (shown or kind == WOVEN):
        options["add_special_tokens"] = False
    if kind == LINE_END and shown:
        texts = [text.removesuffix("\n") for text in texts]  # it writes that itself
    elif kind == LINE_END:
        texts = [begins + text for text in texts]  # which its tokenizer was told not to
        options["return_token_type_ids"] = True  # without them the model looks ahead where nothing is padded
    if shown or kind == WOVEN:
        encoded = _looked_at(editable, questions, texts, opened, options)
    else:
        encoded = editable.tokenizer(texts, **options)
    found = {name: value for name, value in encoded.items() if isinstance(value, Tensor) and name != "labels"}
    if bool((found["attention_mask"].diff(dim=1) < 0).any()):
        _pad_left(found)
    return Encoded(found, tuple(tuple(image.size for image in images) for images in opened))


def _looked_at(
    editable: Editable,
    questions: Sequence[Question],
    texts: list[str],
    opened: list[list[Image]],
    options: dict[str, Any],
) -> Any:
    try:
        return editable.processor(**_arguments(editable, texts, opened), **options)
    except (ValueError, TypeError, IndexError, ArithmeticError) as error:
        for at in range(len(questions) if len(questions) > 1 else 0):
            _looked_at(editable, questions[at : at + 1], texts[at : at + 1], opened[at : at + 1], options)
        shown = [
            f"{picture.name} ({image.width} x {image.height})"
            for question, images in zip(questions, opened, strict=True)
            for picture, image in zip(question.images, images, strict=True)
        ]
        raise InputError(f"{editable.name} can't look at {', '.join(shown)}: {error}") from error


def _arguments(editable: Editable, texts: list[str], opened: list[list[Image]]) -> dict[str, Any]:
    """Pictures and texts apart, of one each where the processor knows no more; in one list for Idefics."""
    kind = type(editable.processor).__name__
    if kind == WOVEN:
        mark = str(picture_mark(editable))
        return {"text": [_woven(text, mark, images) for text, images in zip(texts, opened, strict=True)]}
    if kind in ONE_PICTURE:
        return {"text": texts, "images": [images[0] for images in opened]}
    return {"text": texts, "images": opened}


def _woven(text: str, mark: str, images: list[Image]) -> list[Any]:
    """A text's parts with the pictures in the places of the marks between them."""
    first, *rest = text.split(mark)
    parts: list[Any] = [first]
    for image, part in zip(images, rest, strict=True):
        parts += [image, part]
    return [part for part in parts if part != ""]


def _pad_left(inputs: dict[str, Tensor]) -> None:
    """Some processors pad in the middle, between a picture's tokens and the prompt, or on the right."""
    mask = inputs["attention_mask"]
    order = mask.argsort(dim=1, stable=True)
    for name in ("input_ids", "attention_mask", *TYPES):
        if name in inputs:
            inputs[name] = inputs[name].gather(1, order)
