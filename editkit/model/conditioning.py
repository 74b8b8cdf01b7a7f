"""The model's own distribution, conditioned on some words not being said.

A source word is a sequence of tokens t_1..t_n that is followed by the end of the word. Where its first j - 1
tokens stand already, its remaining probability is

    m = p(t_j .. t_n, end of word | context),

and conditioning on the word not being said takes m from p(t_j) and divides everything by 1 - m (see
`docs/design/objective.md`). A first token shared with other words keeps their mass. Where all of its tokens
stand already, what would end the word there has to go: `mom` may only go on as `mommy`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor

from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities
from editkit.model.prompts import prompt_text
from editkit.plan import Form, Question, matcher

SMALLEST: Final = 1e-3
WORD_SIGN: Final = re.compile(r"\w")


def kept(share: float) -> float:
    """What is left of a token's probability when `share` of it goes.

    A trace is not left: what a model says with a thousandth of its certainty is no other word but noise
    ("gunassistant"), and would come out on top where it is very sure of the source.
    """
    return 1.0 - share if share < 1.0 - SMALLEST else 0.0


@dataclass(frozen=True)
class Removal:
    """Probability `mass` of `token` at one position belongs to a source's form.

    `step` counts the form's tokens from 0; `spaced` tells whether it is written with a space in front. Where
    all of them stand already, `token` is None and `ends` are the tokens that would end the word, bool
    `[d_vocab]`.
    """

    token: int | None
    mass: float
    form: Form
    step: int
    spaced: bool
    ends: Tensor | None = field(default=None, repr=False, compare=False)


@dataclass
class Forbidden:
    """Some words' forms for one model: finds where, and with what probability, it would say them."""

    editable: Editable
    forms: tuple[Form, ...]
    _inside: Tensor | None = field(default=None, repr=False)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return matcher(form.text for form in self.forms)

    @property
    def inside(self) -> Tensor:
        """Which tokens go on with a word that has begun, bool `[d_vocab]`."""
        if self._inside is None:
            self._inside = word_inside(self.editable)
        return self._inside

    def _open(self, question: Question, said: Sequence[int]) -> list[tuple[Form, tuple[int, ...], int]]:
        """(form, its tokens, how many of them stand already) that may go on, or end, here."""
        found: dict[tuple[int, ...], tuple[Form, tuple[int, ...], int]] = {}
        fresh: dict[int, bool] = {}
        for form in self.forms:
            for tokens, spaced in ((form.spaced, True), (form.bare, False)):
                for done in range(min(len(tokens), len(said)) + 1):
                    begins = len(said) - done
                    if tuple(said[begins:]) != tokens[:done]:
                        continue
                    if not spaced and tokens != form.spaced:
                        if begins not in fresh:
                            fresh[begins] = self._word_begins(question, said[:begins])
                        if not fresh[begins]:
                            continue
                    found.setdefault(tokens[done:], (form, tokens, done))
        return list(found.values())

    def _word_begins(self, question: Question, said: Sequence[int]) -> bool:
        before = self.editable.tokenizer.decode(said) or prompt_text(self.editable, question)
        return not before or not (before[-1].isalnum() or before[-1] == "_")

    def removals(
        self, questions: Sequence[Question], said: Sequence[Sequence[int]], before: Sequence[Tensor]
    ) -> list[list[list[Removal]]]:
        """For each continuation and each of its n + 1 positions, what has to go.

        Args:
            before: log-probabilities `[n_said + 1, d_vocab]` of each continuation.
        """
        wanted: list[tuple[int, int, Form, tuple[int, ...], int]] = []
        found: list[list[list[Removal]]] = [[[] for _ in range(len(tokens) + 1)] for tokens in said]
        for number, (question, tokens) in enumerate(zip(questions, said, strict=True)):
            table = before[number]
            ends = ~self.inside.to(table.device)
            for position in range(len(tokens) + 1):
                for form, sequence, done in self._open(question, tokens[:position]):
                    if done == len(sequence):
                        mass = float(table[position, ends].double().logsumexp(0).exp())
                        if SMALLEST <= mass <= 1 - SMALLEST:
                            spaced = sequence == form.spaced
                            found[number][position].append(Removal(None, mass, form, done, spaced, ends))
                    elif table[position, sequence[done]].exp() >= SMALLEST:
                        wanted.append((number, position, form, sequence, done))
        rest = self._rest(
            [
                (questions[n], [*said[n][:p], *s[d:]], len(s) - d, float(before[n][p, s[d]]))
                for n, p, _, s, d in wanted
            ]
        )
        for (number, position, form, sequence, done), log_rest in zip(wanted, rest, strict=True):
            token = sequence[done]
            mass = float((before[number][position, token].double() + log_rest).exp())
            if mass >= SMALLEST:
                found[number][position].append(Removal(token, mass, form, done, sequence == form.spaced))
        return found

    def _rest(self, asked: Sequence[tuple[Question, list[int], int, float]]) -> list[float]:
        """Log-probability of all but the first of the last `n` tokens, and of the word ending after them.

        Minus infinity where it can't matter any more: with `first`, the log-probability of the first of them,
        it would be under SMALLEST. Token by token, since most forms share their first ones and end there.
        """
        found, alive, step = [0.0] * len(asked), list(range(len(asked))), 0
        lowest = math.log(max(SMALLEST, 1e-300))
        while alive:
            step += 1
            standing = {k: tuple(asked[k][1][: len(asked[k][1]) - asked[k][2] + step]) for k in alive}
            keys = {k: (asked[k][0].id, asked[k][0].chat, standing[k]) for k in alive}
            unique = {key: k for k, key in keys.items()}
            tables = log_probabilities(
                self.editable,
                [asked[k][0] for k in unique.values()],
                [standing[k] for k in unique.values()],
            )
            nexts = dict(zip(unique, (table[-1] for table in tables), strict=True))
            going = []
            for k in alive:
                _, tokens, count, first = asked[k]
                after = nexts[keys[k]]
                if step == count:
                    found[k] += float(after[~self.inside.to(after.device)].logsumexp(0))
                    continue
                found[k] += float(after[tokens[len(tokens) - count + step]])
                if first + found[k] < lowest:
                    found[k] = float("-inf")
                else:
                    going.append(k)
            alive = going
        return found

    def adjust(self, questions: Sequence[Question], said: Sequence[list[int]], scores: Tensor) -> Tensor:
        """Next-token log-probabilities conditioned on no source being said, exact where the likeliest token
        would say one; for the decoding loop of `answers`."""
        scores = scores.clone()
        standing = [self._open(question, tokens) for question, tokens in zip(questions, said, strict=True)]
        for row, tokens in enumerate(said):
            # By its text, not its tokens: the word in another case or split otherwise is said all the same.
            text = self.editable.tokenizer.decode(tokens, skip_special_tokens=True)
            if any(word.end() == len(text) for word in self.pattern.finditer(text)):
                scores[row, ~self.inside.to(scores.device)] = float("-inf")
        settled: set[tuple[int, int]] = set()
        for _ in range(8):
            best = scores.argmax(-1).tolist()
            asked = [
                (row, sequence[done], [*said[row], *sequence[done:]], len(sequence) - done)
                for row, token in enumerate(best)
                if (row, token) not in settled
                for _, sequence, done in standing[row]
                if sequence[done : done + 1] == (token,)
            ]
            if not asked:
                break
            rest = self._rest([(questions[row], tokens, count, 0.0) for row, _, tokens, count in asked])
            removed: dict[tuple[int, int], float] = {}
            for (row, token, _, _), log_rest in zip(asked, rest, strict=True):
                removed[row, token] = removed.get((row, token), 0.0) + float(torch.tensor(log_rest).exp())
            for (row, token), share in removed.items():
                settled.add((row, token))
                if share >= SMALLEST:
                    scores[row, token] += float(torch.log(torch.tensor(kept(share))))
        return scores


def word_inside(editable: Editable) -> Tensor:
    """Which tokens begin with a sign that goes on with the word before, bool `[d_vocab]`."""
    tokenizer: Any = editable.tokenizer
    size = editable.n_logits
    anchor = tokenizer.encode("a", add_special_tokens=False)[-1]
    front = tokenizer.decode([anchor])
    texts = tokenizer.batch_decode([[anchor, token] for token in range(min(size, len(tokenizer)))])
    flags = [WORD_SIGN.match(text, len(front)) is not None for text in texts]
    special = set(tokenizer.all_special_ids)
    flags = [flag and token not in special for token, flag in enumerate(flags)]
    return torch.tensor(flags + [False] * (size - len(flags)))
