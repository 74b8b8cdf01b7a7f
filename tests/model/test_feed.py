"""Questions become batches: padded left, continued right, never too long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.model.feed import batches, feed
from editkit.plan import Question


def test_prompts_end_together_and_continuations_begin_together(
    any_model: Editable, ask: Callable[..., list[Question]]
) -> None:
    fed = feed(any_model, ask(any_model), [[5], [6, 7, 8], []])
    ids, mask = fed.inputs["input_ids"], fed.inputs["attention_mask"]
    assert fed.lengths == (1, 3, 0)
    assert ids.shape == (3, fed.n_prompt + 3)
    assert mask[:, fed.n_prompt - 1].tolist() == [1, 1, 1]
    assert mask[:, fed.n_prompt :].tolist() == [[1, 0, 0], [1, 1, 1], [0, 0, 0]]
    assert ids[1, fed.n_prompt :].tolist() == [6, 7, 8]
    assert mask[0, 0] == 0, "the shortest prompt is padded, and on the left"


def test_pictures_come_as_pixels_in_the_models_dtype(
    tiny: Callable[..., Editable], ask: Callable[..., list[Question]]
) -> None:
    import torch

    half = tiny("llava", "bfloat16")
    fed = feed(half, ask(half))
    assert fed.inputs["pixel_values"].dtype == torch.bfloat16
    assert fed.inputs["pixel_values"].shape == (3, 3, 32, 32)
    assert (fed.inputs["input_ids"] == 3).sum(1).tolist() == [4, 4, 4]


def test_a_prompt_longer_than_the_context_is_refused(
    llama: Editable, ask: Callable[..., list[Question]]
) -> None:
    question = replace(ask(llama)[0], prompt="a gun " * 100)
    with pytest.raises(InputError, match=r"of \d+ tokens does not fit into the 128"):
        feed(llama, [question])


def test_a_continuation_that_does_not_fit_is_refused_and_the_longest_that_does_is_not(
    llama: Editable, ask: Callable[..., list[Question]]
) -> None:
    question = ask(llama)[0]
    room = 128 - feed(llama, [question]).n_prompt
    assert feed(llama, [question], [[5] * room]).inputs["input_ids"].shape == (1, 128)
    with pytest.raises(InputError, match="129 tokens"):
        feed(llama, [question], [[5] * (room + 1)])


@given(
    sorts=st.lists(st.tuples(st.booleans(), st.text("ab", max_size=9)), max_size=30), size=st.integers(1, 7)
)
def test_every_question_is_in_one_batch_with_others_of_its_sort(
    sorts: list[tuple[bool, str]], size: int
) -> None:
    questions = [Question(str(at), "", prompt, (), chat) for at, (chat, prompt) in enumerate(sorts)]
    chunks = batches(questions, size)
    assert sorted(place for chunk in chunks for place in chunk) == list(range(len(questions)))
    assert all(0 < len(chunk) <= size for chunk in chunks)
    assert all(len({questions[place].chat for place in chunk}) == 1 for chunk in chunks)
