"""The distribution conditioned on a word not being said, against enumeration."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from editkit.model import conditioning
from editkit.model.conditioning import Forbidden, Removal, word_inside
from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities
from editkit.model.generate import answers
from editkit.plan import Form, PlannedEdit, Question, matcher
from editkit.probe.questions import question
from editkit.probe.scenes import pictures


@pytest.fixture(autouse=True)
def _nothing_is_too_small(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Random weights give a word next to nothing: here even that counts."""
    if "demo" not in request.fixturenames:
        monkeypatch.setattr(conditioning, "SMALLEST", 0.0)


def removals(
    editable: Editable, forms: tuple[Form, ...], prompt: str, said: list[int]
) -> list[list[Removal]]:
    asked = question(prompt)
    before = log_probabilities(editable, [asked], [said])
    return Forbidden(editable, forms).removals([asked], [said], before)[0]


def chain(editable: Editable, prompt: str, said: list[int], tokens: tuple[int, ...]) -> float:
    """p(tokens | prompt, said), one token at a time."""
    total = 1.0
    for at, token in enumerate(tokens):
        table = log_probabilities(editable, [question(prompt)], [[*said, *tokens[:at]]])[0]
        total *= float(table[-1, token].double().exp())
    return total


@pytest.mark.parametrize("word", ["gun", "cup", "umbrella", "zebra"])
@pytest.mark.parametrize("said", ["", " the", " a gun and"])
def test_the_mass_is_that_of_all_sequences_which_say_the_word(
    llama: Editable, make_edit: Callable[..., PlannedEdit], word: str, said: str
) -> None:
    """Enumerates every token that may follow, and lets the text tell whether the word has ended."""
    tokenizer = llama.tokenizer
    form = next(form for form in make_edit(tokenizer, word).forms if form.text == word)
    whole_word = matcher([word])
    stand = tokenizer.encode(said, add_special_tokens=False)
    found = [one for one in removals(llama, (form,), "I see", stand)[-1] if one.spaced and one.step == 0]
    follow = log_probabilities(llama, [question("I see")], [[*stand, *form.spaced]])[0][-1].double().exp()
    texts = tokenizer.batch_decode([[*form.spaced, token] for token in range(len(tokenizer))])
    special = set(tokenizer.all_special_ids)
    ended = sum(
        float(follow[token])
        for token, text in enumerate(texts)
        if token in special or whole_word.match(text, 1) is not None
    )
    expected = chain(llama, "I see", stand, form.spaced) * ended
    assert [one.token for one in found] == [form.spaced[0]]
    assert found[0].mass == pytest.approx(expected, rel=1e-3)


def test_where_some_of_the_word_stands_its_rest_goes(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    edit = make_edit(llama.tokenizer, "zebra")
    form = edit.forms[0]
    assert len(form.spaced) >= 3
    stand = list(form.spaced[:2])
    here = [one for one in removals(llama, (form,), "I see", stand)[-1] if one.step == 2]
    assert [one.token for one in here] == [form.spaced[2]]
    inside = word_inside(llama)
    after = log_probabilities(llama, [question("I see")], [list(form.spaced)])[0][-1].exp()
    expected = chain(llama, "I see", stand, form.spaced[2:]) * float(after[~inside].sum())
    assert here[0].mass == pytest.approx(expected, rel=1e-3)


def test_where_all_of_the_word_stands_it_may_only_go_on(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    form = make_edit(llama.tokenizer, "mom").forms[0]
    last = removals(llama, (form,), "I see", list(form.spaced))[-1]
    ends = [one for one in last if one.token is None]
    assert len(ends) == 1
    assert ends[0].ends is not None
    table = log_probabilities(llama, [question("I see")], [list(form.spaced)])[0][-1].exp()
    assert ends[0].mass == pytest.approx(float(table[ends[0].ends].sum()), rel=1e-4)
    assert torch.equal(ends[0].ends, ~word_inside(llama))


def test_a_bare_form_counts_only_where_a_word_begins(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    form = make_edit(llama.tokenizer, "gun").forms[0]
    assert form.bare != form.spaced
    bare = form.bare[0]
    after = {
        said: [
            one.token
            for one in removals(
                llama, (form,), "I see", llama.tokenizer.encode(said, add_special_tokens=False)
            )[-1]
        ]
        for said in (" be", " (", " -")
    }
    assert bare not in after[" be"], "begun is not a gun"
    assert bare in after[" ("]
    assert bare in after[" -"]


def test_tokens_that_go_on_with_a_word(llama: Editable) -> None:
    inside, tokenizer = word_inside(llama), llama.tokenizer
    assert inside.shape == (llama.unembedding.shape[0],)

    def flag(text: str) -> bool:
        return bool(inside[tokenizer.encode(text, add_special_tokens=False)[0]])

    assert [flag(text) for text in ("s", "7", "Z", "_")] == [True] * 4
    assert [flag(text) for text in (" a", ".", ",", "-", "'", "\n")] == [False] * 6
    assert not inside[tokenizer.all_special_ids].any()


@pytest.mark.parametrize("words", [("gun",), ("red",), ("a",), ("bird", "tree"), ("blue", "green", "and")])
def test_next_best_decoding_never_says_the_word(
    demo: Editable, make_edit: Callable[..., PlannedEdit], words: tuple[str, ...]
) -> None:
    edit = make_edit(demo.tokenizer, *words)
    shown = [
        question("Describe the image in few words.", [picture], chat=True)
        for name in ("guns", "pairs")
        for picture in pictures(name, 5, 77)
    ]
    plain = answers(demo, shown, max_new_tokens=40)
    banned = answers(demo, shown, max_new_tokens=40, adjust=Forbidden(demo, edit.forms).adjust)
    assert any(edit.says_source(answer.text) for answer in plain)
    for before, after in zip(plain, banned, strict=True):
        assert not edit.says_source(after.text)
        assert words == ("a",) or after.text, "without any article there may be nothing to say"
        if not edit.says_source(before.text):
            assert after == before, "an answer without the word stays as it was"


def test_adjusting_takes_the_words_share_from_its_token_and_nothing_from_others(
    llama: Editable, ask: Callable[..., list[Question]]
) -> None:
    asked = ask(llama)[0]
    scores = log_probabilities(llama, [asked], [[]])[0]
    words = {token: llama.tokenizer.decode([token]) for token in range(4, len(llama.tokenizer))}
    word = next(token for token, text in words.items() if text[0] == " " and text[1:].isalpha())
    scores[0, word] = 0.0  # the likeliest
    form = Form(words[word].strip(), (word,), (word,))
    adjusted = Forbidden(llama, (form,)).adjust([asked], [[]], scores)
    after = log_probabilities(llama, [asked], [[word]])[0][1].double().exp()
    ended = float(after[~word_inside(llama)].sum())
    left = 1 - ended if ended < 1 - conditioning.SMALLEST else 0.0
    assert float(adjusted[0, word].exp()) == pytest.approx(left, rel=1e-3, abs=1e-6)
    others = torch.arange(scores.shape[1]) != word
    assert torch.equal(adjusted[0, others], scores[0, others])
    assert float(scores[0, word]) == 0.0, "the scores given are left alone"
