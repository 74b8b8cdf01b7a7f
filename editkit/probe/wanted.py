"""The counterfactual answer of a case: the old one with source replaced, or what comes next best."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from editkit.errors import InputError
from editkit.model.conditioning import Forbidden
from editkit.model.editable import Editable
from editkit.model.generate import Answer, answers
from editkit.plan import PlannedEdit, Question, Wanted
from editkit.probe.positions import starts
from editkit.probe.questions import question as make_question
from editkit.probe.words import split

ARTICLE: Final = re.compile(r"\b(an?)(\s+)$", re.IGNORECASE)


def _article(before: str, word: str) -> tuple[int, str] | None:
    """Where an article in front of a replaced word begins and what it becomes, None where it stays."""
    found = ARTICLE.search(before)
    if found is None or not word[:1].isalpha():
        return None
    right = "an" if word[0].lower() in "aeiou" else "a"
    if found[1].lower() == right:
        return None
    return found.start(), (right.capitalize() if found[1][0].isupper() else right) + found[2]


def replaced(tokenizer: Any, tokens: Sequence[int], edit: PlannedEdit) -> Wanted:
    """An answer with every source form replaced by the matching target form, in tokens.

    Only the tokens that touch a source are split anew; all others stay as they were said.
    """
    said, taught = list(tokens), set[int]()
    place = 0
    while True:
        text = tokenizer.decode(said, skip_special_tokens=True)
        found = edit.source_pattern.search(text, place)
        if found is None:
            return Wanted(text, tuple(said), tuple(sorted(taught)))
        word = edit.instead_of(found[0]) or ""
        start, piece = found.start(), word
        article = _article(text[: found.start()], word)
        if article is not None:
            start, piece = article[0], article[1] + word
        bounds = starts(tokenizer, said)
        first = max(index for index, begin in enumerate(bounds) if begin <= start)
        last = min(index for index, begin in enumerate(bounds) if begin >= found.end())
        first = min(first, last)
        fresh = split(tokenizer, text[bounds[first] : start] + piece + text[found.end() : bounds[last]])
        shift = len(fresh) - (last - first)
        taught = {index + shift if index >= last else index for index in taught}
        if article is not None:
            taught |= set(range(first, first + len(fresh)))
        said[first:last] = fresh
        place = start + len(piece)


def wanted(
    editable: Editable,
    asked: Sequence[tuple[Question, Answer, tuple[PlannedEdit, ...]]],
    *,
    max_new_tokens: int,
    batch_size: int,
    advance: Callable[[int], Any] = lambda steps: None,
) -> list[Wanted]:
    """The counterfactual answer to each question under its edits, in order."""
    found: list[Wanted] = [Wanted(answer.text, answer.tokens) for _, answer, _ in asked]
    for edits in dict.fromkeys(edits for _, _, edits in asked):
        places = [place for place, (_, _, own) in enumerate(asked) if own == edits]
        rewrite = next((edit for edit in edits if edit.kind == "rewrite"), None)
        banned = tuple(form for edit in edits if edit.target is None for form in edit.forms)
        questions = [asked[place][0] for place in places]
        if rewrite is not None:
            fresh = _rewritten(editable, questions, rewrite, max_new_tokens, batch_size)
        elif banned:
            said = answers(
                editable,
                questions,
                max_new_tokens=max_new_tokens,
                batch_size=batch_size,
                adjust=Forbidden(editable, banned).adjust,
            )
            fresh = [Wanted(answer.text, answer.tokens) for answer in said]
        else:
            fresh = [found[place] for place in places]
        for place, answer in zip(places, fresh, strict=True):
            for edit in edits:
                if edit.kind != "rewrite" and edit.target is not None:
                    answer = replaced(editable.tokenizer, answer.tokens, edit)
            found[place] = answer
        advance(len(places))
    return found


def _rewritten(
    editable: Editable, questions: Sequence[Question], edit: PlannedEdit, max_new_tokens: int, batch_size: int
) -> list[Wanted]:
    """The target, and what the unedited model goes on with after it.

    Raises:
        InputError: the target is longer than an answer.
    """
    found = []
    target = split(editable.tokenizer, f" {edit.target}")
    if len(target) > max_new_tokens:
        raise InputError(
            f"edits[{edit.number}]: `to` takes {len(target)} tokens, more than an answer has: raise "
            f"evaluate.max_new_tokens ({max_new_tokens})"
        )
    forced = [make_question(f"{question.prompt} {edit.target}", question.images) for question in questions]
    room = max(1, max_new_tokens - len(target))
    for answer in answers(editable, forced, max_new_tokens=room, batch_size=batch_size):
        tokens = (*target, *answer.tokens)[:max_new_tokens]
        text = editable.tokenizer.decode(tokens, skip_special_tokens=True)
        found.append(Wanted(text, tokens, tuple(range(len(target)))))
    return found
