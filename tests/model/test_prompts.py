"""Prompts are written as a model reads them, and as tensors they begin once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.prompts import picture_mark, prompt_text
from editkit.plan import Question


def test_every_sequence_begins_once_whether_the_chat_template_writes_it_or_not(
    llava: Editable, demo: Editable, ask: Callable[..., list[Question]]
) -> None:
    plain = ask(llava)[0]
    chat = replace(plain, chat=True)
    assert prompt_text(llava, plain) == "<image>\nthe gun"
    assert prompt_text(llava, chat) == "user: <image> the gun\nassistant:"
    assert not prompt_text(llava, chat).startswith(llava.tokenizer.bos_token)
    assert prompt_text(demo, chat).startswith(demo.tokenizer.bos_token)
    for editable, question in ((llava, plain), (llava, chat), (demo, plain), (demo, chat)):
        ids, begins = feed(editable, [question]).inputs["input_ids"][0], editable.tokenizer.bos_token_id
        assert ids[0] == begins
        assert int((ids == begins).sum()) == 1


def test_a_model_without_eyes_refuses_pictures(
    llama: Editable, llava: Editable, ask: Callable[..., list[Question]]
) -> None:
    with pytest.raises(InputError, match="takes no pictures"):
        prompt_text(llama, ask(llava)[0])


def test_marks_and_tokens_of_pictures(llama: Editable, llava: Editable) -> None:
    assert (picture_mark(llama), llama.picture_token) == (None, None)
    assert (picture_mark(llava), llava.picture_token) == ("<image>", 3)


def test_a_mark_is_plain_text_to_a_model_without_eyes(
    llama: Editable, ask: Callable[..., list[Question]]
) -> None:
    assert prompt_text(llama, replace(ask(llama)[0], prompt="an <image> tag")) == "an <image> tag"


def test_a_prompt_that_places_its_pictures_is_left_as_it_is(
    llava: Editable, ask: Callable[..., list[Question]]
) -> None:
    placed = replace(ask(llava)[0], prompt="USER: <image>\nwhat? ASSISTANT:")
    assert prompt_text(llava, placed) == placed.prompt
    for wrong in (
        replace(placed, images=()),
        replace(placed, chat=True),
        replace(placed, prompt="<image>" * 2),
    ):
        with pytest.raises(InputError, match="has '<image>' in it, which stands for a picture"):
            prompt_text(llava, wrong)


def test_no_template_no_chat(llama: Editable, ask: Callable[..., list[Question]]) -> None:
    with pytest.raises(InputError, match="has no chat template: ask with `chat: false`"):
        prompt_text(llama, replace(ask(llama)[0], chat=True))
