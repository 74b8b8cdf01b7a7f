"""A held-out input in other words, with the source denied, or without its picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from editkit.events import nobody
from editkit.model.editable import Editable
from editkit.plan import Case, PlannedEdit, Question
from editkit.probe.questions import question
from editkit.probe.scenes import pictures
from editkit.probe.side import negation, paraphrase
from editkit.probe.side.asking import asked_anew
from editkit.probe.side.modality import modalities
from editkit.recipe import Recipe, parse_recipe


def recipe(probes: str) -> Recipe:
    return parse_recipe(
        "{version: 1, name: a, model: x, edits: [{suppress: gun}], probe: {images: {demo: guns}}, "
        f"evaluate: {{probes: {probes}}}}}"
    )


@pytest.fixture
def edits(llama: Editable, make_edit: Callable[..., PlannedEdit]) -> tuple[PlannedEdit, ...]:
    fact = make_edit(llama.tokenizer, "gun", target="cup", kind="rewrite", number=1, prompt="I see a")
    return (make_edit(llama.tokenizer, "gun"), fact)


@pytest.fixture
def cases(llama: Editable, make_case: Callable[..., Case]) -> tuple[Case, ...]:
    seen = pictures("guns", 3, 0)

    def make(asked: Question, role: str, **more: Any) -> Case:
        return make_case(llama.tokenizer, asked, "a gun", role, **more)

    return (
        make(question("Describe it.", [seen[0]], chat=True), "held_out"),
        make(question("Describe it.", [seen[1]], chat=True), "control"),
        make(question("Describe it.", [seen[2]], chat=True), "edit"),
        make(question("Who shot?", chat=True), "held_out"),
        make(question("He took the"), "held_out"),
        make(question("I see a"), "edit", edits=(1,)),
        make(question("You see a"), "held_out", edits=(1,), probe="paraphrase"),
    )


def test_marks_in_prompts(cases: tuple[Case, ...], edits: tuple[PlannedEdit, ...]) -> None:
    found = list(asked_anew("s", cases[0], ["No {source}! {prompt}", "{x}"], edits))
    assert [one.question.prompt for one in found] == ["No gun! Describe it.", "{x}"]
    assert all(one.question.images == cases[0].question.images and one.question.chat for one in found)


def test_paraphrases_are_of_held_out_inputs(
    llama: Editable, cases: tuple[Case, ...], edits: tuple[PlannedEdit, ...]
) -> None:
    found = paraphrase.paraphrases(recipe("{paraphrase: auto}"), llama, edits, cases, nobody)
    prompts = [one.question.prompt for one in found]
    assert prompts[:4] == list(paraphrase.PICTURES)
    assert prompts[4:7] == [line.replace("{prompt}", "Who shot?") for line in paraphrase.TURNS]
    assert prompts[7:] == [line.replace("{prompt}", "He took the") for line in paraphrase.TEXTS]
    assert paraphrase.paraphrases(recipe("{}"), llama, edits, cases, nobody) == []
    own = paraphrase.paraphrases(recipe("{paraphrase: ['What?'], count: 2}"), llama, edits, cases, nobody)
    assert [one.question.prompt for one in own] == ["What?", "What?"]


def test_negations_deny_the_source(
    llama: Editable, cases: tuple[Case, ...], edits: tuple[PlannedEdit, ...]
) -> None:
    found = negation.negations(recipe("{negation: auto}"), llama, edits, cases, nobody)
    assert [one.question.prompt for one in found] == [
        "This is not a picture of a gun. Describe the image.",
        "There is no gun in the image. Describe it.",
        "The answer is not gun. Who shot?",
        "This is not about gun. He took the",
        "I see a not gun. I see a",
        "You see a not gun. You see a",
    ]
    assert [one.edits for one in found] == [(0,)] * 4 + [(1,)] * 2


def test_modalities_take_one_away(
    llama: Editable, cases: tuple[Case, ...], edits: tuple[PlannedEdit, ...]
) -> None:
    found = modalities(recipe("{modality: true}"), llama, edits, cases, nobody)
    assert [(one.suite, one.question.prompt, len(one.question.images)) for one in found] == [
        ("text_only", "Describe it.", 0),
        ("image_only", "", 1),
    ] * 2
    assert modalities(recipe("{}"), llama, edits, cases, nobody) == []
