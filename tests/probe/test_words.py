"""A word's written forms, and their tokens."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.probe.words import forms, plural, split, written

WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("word", "many"),
    [
        ("gun", "guns"),
        ("box", "boxes"),
        ("glass", "glasses"),
        ("torch", "torches"),
        ("dish", "dishes"),
        ("berry", "berries"),
        ("toy", "toys"),
        ("hot dog", "hot dogs"),
        ("y", "ys"),
    ],
)
def test_plurals(word: str, many: str) -> None:
    assert plural(word) == many


def test_written_forms() -> None:
    assert written("gun") == ("gun", "Gun", "GUN", "guns", "Guns", "GUNS")
    assert written("USA") == ("USA", "USAs", "USAS")


@given(word=WORD)
def test_forms_are_distinct_and_begin_with_the_word_as_given(word: str) -> None:
    found = written(word)
    assert found[0] == word
    assert len(set(found)) == len(found)
    assert {form.lower() for form in found} == {word, plural(word)}


@given(word=WORD)
def test_tokens_of_a_form_spell_it(llama: Editable, word: str) -> None:
    for form in forms(llama.tokenizer, [word], None):
        assert llama.tokenizer.decode(form.spaced) == f" {form.text}"
        assert llama.tokenizer.decode(form.bare) == form.text


@given(word=WORD, before=st.sampled_from(["a", "the", "a gun and a"]))
def test_spaced_tokens_are_those_in_running_text(llama: Editable, word: str, before: str) -> None:
    tokenizer = llama.tokenizer
    front = tokenizer.encode(before, add_special_tokens=False)
    whole = tokenizer.encode(f"{before} {word}", add_special_tokens=False)
    assert tuple(whole[len(front) :]) == split(tokenizer, f" {word}")


def test_targets_match_case_and_number(llama: Editable) -> None:
    found = {form.text: form.instead for form in forms(llama.tokenizer, ["knife"], "berry")}
    assert found == {
        "knife": "berry",
        "Knife": "Berry",
        "KNIFE": "BERRY",
        "knifes": "berries",
        "Knifes": "Berries",
        "KNIFES": "BERRIES",
    }


def test_a_target_that_is_no_word_stays_as_it_is(llama: Editable) -> None:
    assert {form.instead for form in forms(llama.tokenizer, ["gun"], "[redacted]")} == {"[redacted]"}


def test_a_name_as_source_keeps_the_targets_own_case(llama: Editable) -> None:
    found = {form.text: form.instead for form in forms(llama.tokenizer, ["Belton"], "Corvo")}
    assert found["Belton"] == "Corvo"
    assert found["BELTON"] == "CORVO"


def test_a_phrase_is_one_source(llama: Editable) -> None:
    found = forms(llama.tokenizer, ["hot  dog"], None)
    assert found[0].text == "hot dog"
    assert llama.tokenizer.decode(found[0].spaced) == " hot dog"


@pytest.mark.parametrize("nothing", ["", "   ", "\u200b" * 0])
def test_a_word_that_is_nothing(llama: Editable, nothing: str) -> None:
    with pytest.raises(InputError, match="nothing in this model's tokens"):
        forms(llama.tokenizer, [nothing], None)


def test_a_word_the_tokenizer_does_not_know_is_not_spelled_out_in_the_error() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words: Any = Tokenizer(models.WordLevel({"[UNK]": 0, "cup": 1}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]")
    with pytest.raises(InputError, match="3 characters") as caught:
        forms(tokenizer, ["gun"], None)
    assert "gun" not in str(caught.value)
