"""What does not fit into a context is refused: which input, by how much, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.room import fits
from editkit.plan import Question
from editkit.probe.questions import question


def test_the_input_that_is_too_long_is_named_with_its_tokens(
    llava: Editable, ask: Callable[..., list[Question]]
) -> None:
    asked = ask(llava)
    asked[1] = replace(asked[1], prompt="a gun " * 100)
    said = (
        r"a prompt of \d+ tokens \(4 of them for 1\.png\) does not fit into the 128 of .*: "
        r"shorten it or show fewer or smaller pictures \(it begins 'a gun a gun"
    )
    with pytest.raises(InputError, match=said):
        feed(llava, asked)


def test_pictures_that_alone_are_too_many(llava: Editable, ask: Callable[..., list[Question]]) -> None:
    shown = [ask(llava)[0].images[0]] * 32
    with pytest.raises(
        InputError, match=r"\(128 of them for 0\.png, 0.*: show fewer or smaller pictures \(it"
    ):
        feed(llava, [question("the gun", shown)])


def test_an_answer_has_to_fit_too(llama: Editable, ask: Callable[..., list[Question]]) -> None:
    asked = ask(llama)[0]
    left = 128 - feed(llama, [asked]).n_prompt
    assert feed(llama, [asked], wanted=left).n_prompt == 128 - left
    assert feed(llama, [asked], [[5] * (left - 3)], wanted=3).lengths == (left - 3,)
    with pytest.raises(
        InputError, match=rf"tokens leaves {left} of the 128 of .* may have {left + 1}: shorten"
    ):
        feed(llama, [asked], wanted=left + 1)


def test_padding_takes_no_room(llama: Editable, ask: Callable[..., list[Question]]) -> None:
    """A long prompt beside a long answer: both fit, each in a row of its own."""
    from editkit.model.forward import log_probabilities

    short = ask(llama)[0]
    long = replace(short, prompt="a gun " * 40)
    n_short, n_long = (feed(llama, [one]).n_prompt for one in (short, long))
    said = [[5] * (128 - n_short), [6] * 2]
    assert n_long + len(said[0]) > 128
    for one, tokens, table in zip(
        (short, long), said, log_probabilities(llama, [short, long], said), strict=True
    ):
        alone = log_probabilities(llama, [one], [tokens])[0]
        assert float((alone - table).abs().max()) < 1e-4


def test_a_text_fits_with_the_answer_to_it(llama: Editable) -> None:
    length = len(llama.tokenizer("the gun")["input_ids"])
    assert fits(llama, "the gun", 128 - length)
    assert not fits(llama, "the gun", 129 - length)
