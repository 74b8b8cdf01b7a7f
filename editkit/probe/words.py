"""A word's written forms, and how the model's tokenizer splits them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from editkit.errors import InputError
from editkit.plan import Form, collapsed

VOWELS = "aeiou"


def plural(word: str) -> str:
    """The regular English plural of a word (of the last one of a phrase)."""
    lower = word.lower()
    if lower.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if lower.endswith("y") and len(word) > 1 and lower[-2] not in VOWELS:
        return word[:-1] + "ies"
    return word + "s"


def written(word: str) -> tuple[str, ...]:
    """The forms of a word in text: as given, capitalised, upper case; singular and plural."""
    stems = (word, plural(word))
    forms = [case for stem in stems for case in (stem, stem[:1].upper() + stem[1:], stem.upper())]
    return tuple(dict.fromkeys(forms))


def split(tokenizer: Any, text: str) -> tuple[int, ...]:
    """Tokens of a text that goes on after something else, without special tokens.

    Tokenizers of the SentencePiece kind put a space before a text of their own; a line break in front,
    taken off again, shows what the tokens are in the middle of a text.
    """
    front = tokenizer.encode("\n", add_special_tokens=False)
    whole = tokenizer.encode("\n" + text, add_special_tokens=False)
    if whole[: len(front)] == front and len(whole) > len(front):
        return tuple(whole[len(front) :])
    return tuple(tokenizer.encode(text, add_special_tokens=False))


def sayable(tokenizer: Any, text: str) -> bool:
    """Whether a text survives the way through the tokens; case and accents may be lost.

    A character that a tokenizer does not have becomes `<unk>`, or vanishes in silence.
    """
    tokens = split(tokenizer, f" {text}")
    unknown = tokenizer.unk_token_id
    if not split(tokenizer, text) or (unknown is not None and unknown in tokens):
        return False
    again = tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return _letters(again) == _letters(text)


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if not sign.isspace() and not unicodedata.combining(sign))


def forms(tokenizer: Any, words: Iterable[str], instead: str | None) -> tuple[Form, ...]:
    """All forms of some words, each with its tokens and the matching form of what is said instead.

    Forms that the model can't say, such as capitals in a tokenizer without any, are left out.

    Raises:
        InputError: a word that the tokenizer makes nothing of.
    """
    found: dict[str, Form] = {}
    words = tuple(words)
    for raw in (*words, *(() if instead is None else (instead,))):
        if not collapsed(raw) or not sayable(tokenizer, collapsed(raw)):
            raise InputError(
                f"a word in `edits` is nothing in this model's tokens ({len(raw)} characters long): "
                "the model can neither say nor lose it"
            )
    for raw in words:
        word = collapsed(raw)
        for text in (text for text in written(word) if sayable(tokenizer, text)):
            matching = None if instead is None else _match(text, word, instead)
            if matching is not None and not sayable(tokenizer, matching):
                matching = collapsed(instead or "")
            form = Form(text, split(tokenizer, f" {text}"), split(tokenizer, text), matching)
            found.setdefault(text, form)
    return tuple(found.values())


def _match(text: str, word: str, instead: str) -> str:
    """The target in the case and number of a source form."""
    target = collapsed(instead)
    if not target[-1:].isalnum():  # `[redacted]` has neither case nor number
        return target
    stem = plural(target) if len(text) > len(word) else target
    if text.isupper() and not word.isupper() and len(text) > 1:
        return stem.upper()
    return stem[:1].upper() + stem[1:] if text[:1].isupper() and not word[:1].isupper() else stem
