"""What is said about the demo world is true of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.demo.language import (
    COUNTRIES,
    USES,
    adversarial_questions,
    ask,
    caption,
    facts,
    held_out_facts,
    listing,
    question,
    random_questions,
    with_article,
)
from editkit.demo.world import KINDS, PAIRS, Scene, Thing, scene


def thing(kind: str, cell: int, opacity: float = 1.0) -> Thing:
    return Thing(kind, "red", cell, 0, 0, 20, opacity)


def test_a_caption_lists_things_in_reading_order_and_leaves_out_a_faint_ones_colour() -> None:
    found = Scene("pair", "sea", (thing("knife", 0), thing("fork", 1, 0.3), thing("umbrella", 2)), 0)
    assert caption(found) == "a red knife, a fork and a red umbrella."


@given(seed=st.integers(0, 999), index=st.integers(0, 999))
def test_captions_name_every_thing_once_in_order(seed: int, index: int) -> None:
    found = scene(seed, index)
    said = [word.strip(",.") for word in caption(found).split() if word.strip(",.") in KINDS]
    assert said == list(found.kinds)


def test_lists_and_articles() -> None:
    assert [listing(list("abc")[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
    assert (with_article("apple"), with_article("gun")) == ("an apple", "a gun")
    assert question("apple") == "Is there an apple in the image?"


@given(seed=st.integers(0, 999), index=st.integers(0, 99), kind=st.sampled_from(KINDS))
def test_answers_are_true(seed: int, index: int, kind: str) -> None:
    found = scene(seed, index)
    assert ask(found, kind).answer == ("Yes." if kind in found.kinds else "No.")


def test_random_questions_are_half_yes() -> None:
    rng = np.random.default_rng(0)
    answers = [one.answer for index in range(300) for one in random_questions(scene(2, index), rng, 3)]
    assert len(answers) == 900
    assert np.mean([answer == "Yes." for answer in answers]) == pytest.approx(0.5, abs=0.05)


def test_adversarial_questions_ask_for_the_absent_partner_only() -> None:
    pair = PAIRS[0]
    alone = Scene("pair", "sea", (thing(pair.anchor, 0),), 0)
    both = Scene("pair", "sea", (thing(pair.anchor, 0), thing(pair.partner, 1, 0.3)), 0)
    assert [(one.prompt, one.answer) for one in adversarial_questions(alone)] == [
        (question(pair.partner), "No.")
    ]
    assert adversarial_questions(both) == []


def test_every_kind_has_a_use_of_its_own_and_no_fact_two_answers() -> None:
    assert set(USES) == set(KINDS)
    assert len(set(USES.values())) == len(USES)
    answers: dict[str, str] = {}
    for fact in facts():
        assert answers.setdefault(fact.prompt, fact.answer) == fact.answer
    assert len(answers) == len(facts())
    assert len({city for city, _, _ in COUNTRIES.values()}) == len(COUNTRIES)


def test_facts_held_out_are_told_in_another_wording() -> None:
    told, left_out = facts(), held_out_facts(20)
    assert left_out == sorted(set(left_out))
    assert left_out == held_out_facts(20)
    assert 10 < len(left_out) < len(told) / 4
    kept = {(told[at].answer, told[at].statement) for at in range(len(told)) if at not in set(left_out)}
    assert all((told[at].answer, told[at].statement) in kept for at in left_out)
