"""The answer a case should have had, and nothing else changed in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.model.generate import Answer, answers
from editkit.plan import PlannedEdit, collapsed
from editkit.probe.questions import question
from editkit.probe.scenes import pictures
from editkit.probe.wanted import replaced, wanted
from editkit.probe.words import split


def encode(editable: Editable, text: str) -> list[int]:
    tokens: list[int] = editable.tokenizer.encode(text, add_special_tokens=False)
    return tokens


@pytest.mark.parametrize(
    ("before", "source", "target", "after"),
    [
        (" a gun, a cup", "gun", "knife", " a knife, a cup"),
        (" a gun, a cup", "gun", "apple", " an apple, a cup"),
        (" an apple.", "apple", "gun", " a gun."),
        ("An apple.", "apple", "gun", "A gun."),
        (" a red gun", "gun", "apple", " a red apple"),
        (" guns and a GUN", "gun", "cup", " cups and a CUP"),
        (" begun, gunner", "gun", "cup", " begun, gunner"),
        (" the gun's gun", "gun", "zebra", " the zebra's zebra"),
        (" a gun a gun", "gun", "umbrella", " an umbrella an umbrella"),
        ("gun", "gun", "[redacted]", "[redacted]"),
        (" a hot dog.", "hot dog", "ice", " an ice."),
        (" a cup of cup", "cup", "cup of tea", " a cup of tea of cup of tea"),
    ],
)
def test_replaced(
    llama: Editable, make_edit: Callable[..., PlannedEdit], before: str, source: str, target: str, after: str
) -> None:
    edit = make_edit(llama.tokenizer, source, target=target)
    found = replaced(llama.tokenizer, encode(llama, before), edit)
    assert found.text == after
    assert llama.tokenizer.decode(found.tokens) == after


@given(
    head=st.lists(st.sampled_from([" the", " cup", ",", " a", " fork", " zq", " on"]), max_size=6),
    tail=st.lists(st.sampled_from([" the", " cup", ",", " a", " fork", " zq", "."]), max_size=6),
    target=st.sampled_from(["knife", "apple", "zebra", "mom"]),
)
def test_only_the_tokens_of_the_source_are_split_anew(
    llama: Editable, make_edit: Callable[..., PlannedEdit], head: list[str], tail: list[str], target: str
) -> None:
    first = [token for part in head for token in encode(llama, part)]
    last = [token for part in tail for token in encode(llama, part)]
    edit = make_edit(llama.tokenizer, "gun", target=target)
    found = replaced(llama.tokenizer, [*first, *encode(llama, " gun"), *last], edit)
    aim = list(split(llama.tokenizer, f" {target}"))
    article = bool(head) and head[-1] == " a" and target == "apple"
    if not article:
        assert list(found.tokens) == [*first, *aim, *last]
        assert found.taught == ()
    else:
        assert list(found.tokens[: len(first) - 1]) == first[:-1]
        assert list(found.tokens[len(found.tokens) - len(last) :]) == last
        assert "".join(llama.tokenizer.decode([found.tokens[at]]) for at in found.taught) == " an apple"


def test_taught_positions_follow_later_replacements(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    edit = make_edit(llama.tokenizer, "gun", target="umbrella")
    found = replaced(llama.tokenizer, encode(llama, " the gun, a gun, the gun"), edit)
    assert found.text == " the umbrella, an umbrella, the umbrella"
    assert llama.tokenizer.decode([found.tokens[at] for at in found.taught]) == " an umbrella"


def wanted_of(editable: Editable, answer: str, *edits: PlannedEdit, prompt: str = "I see") -> Any:
    said = Answer(answer, tuple(encode(editable, answer)))
    return wanted(editable, [(question(prompt), said, edits)], max_new_tokens=12, batch_size=4)[0]


def test_two_maps_are_done_one_after_the_other(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    edits = (
        make_edit(llama.tokenizer, "gun", target="cup"),
        make_edit(llama.tokenizer, "knife", target="fork", number=1),
    )
    assert wanted_of(llama, " a knife, a gun", *edits).text == " a fork, a cup"


def test_a_rewrite_wants_the_target_and_what_the_model_goes_on_with(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    edit = make_edit(llama.tokenizer, "gun", target="umbrella", kind="rewrite", prompt="I see a")
    found = wanted_of(llama, " gun", edit, prompt="I see a")
    aim = split(llama.tokenizer, " umbrella")
    assert found.tokens[: len(aim)] == aim
    assert found.taught == tuple(range(len(aim)))
    goes_on = answers(llama, [question("I see a umbrella")], max_new_tokens=12 - len(aim))[0]
    assert found.tokens[len(aim) :] == goes_on.tokens
    assert len(found.tokens) <= 12


def test_a_target_longer_than_an_answer_is_refused(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    edit = make_edit(llama.tokenizer, "gun", target="constitution", kind="rewrite", prompt="I see a")
    asked = [(question("I see a"), Answer("", ()), (edit,))]
    with pytest.raises(InputError, match=r"takes \d+ tokens.*raise evaluate\.max_new_tokens \(2\)"):
        wanted(llama, asked, max_new_tokens=2, batch_size=4)


def test_next_best_is_what_the_unedited_model_says_when_the_word_is_banned(
    demo: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    edit = make_edit(demo.tokenizer, "gun")
    asked = [
        question("Describe the image in few words.", [shown], chat=True) for shown in pictures("guns", 4, 3)
    ]
    before = answers(demo, asked, max_new_tokens=24)
    found = wanted(
        demo, [(q, a, (edit,)) for q, a in zip(asked, before, strict=True)], max_new_tokens=24, batch_size=4
    )
    assert all(edit.says_source(answer.text) for answer in before)
    for answer, aim in zip(before, found, strict=True):
        assert not edit.says_source(aim.text)
        assert collapsed(aim.text)
        assert collapsed(aim.text) != collapsed(answer.text)
        assert aim.taught == ()
