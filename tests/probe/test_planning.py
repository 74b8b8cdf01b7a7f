"""A recipe and a model become a plan: every input in its one role, with the answer it should have had."""

from __future__ import annotations

from collections import Counter

import pytest

from editkit.errors import InputError
from editkit.events import Event, Noted, nobody
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.plan import Case, EditPlan
from editkit.probe.planning import make_plan
from editkit.recipe import Recipe, parse_recipe


def recipe(edits: str, probe: str = "", rest: str = "") -> Recipe:
    return parse_recipe(f"version: 1\nname: x\nmodel: demo/scenes\n{probe}\nedits:\n{edits}\n{rest}\n")


@pytest.fixture(scope="module")
def guns(demo: Editable) -> EditPlan:
    made = recipe(
        "  - suppress: gun",
        "probe: {images: {demo: guns, count: 16}}",
        "control: {count: 10}\nevaluate: {max_new_tokens: 24}",
    )
    return make_plan(made, demo, preserve=8, tell=nobody)


def test_roles_are_disjoint_by_picture_and_counted(guns: EditPlan) -> None:
    groups: dict[str, set[str]] = {}
    for case in guns.cases:
        groups.setdefault(case.question.group, set()).add(case.role)
    assert all(len(roles) == 1 for roles in groups.values())
    counts = guns.counts()
    assert counts["control"] <= 10
    assert counts["preserve"] <= 8
    assert counts["edit"] + counts["held_out"] >= 14, "nearly every picture of a gun is said to show one"
    assert guns.asked >= 16 + 18


def test_cases_to_change_have_a_wanted_answer_and_others_none(guns: EditPlan) -> None:
    edit = guns.edits[0]
    for case in guns.cases:
        if case.role in ("edit", "held_out"):
            assert edit.says_source(case.said)
            assert case.wanted is not None
            assert not edit.says_source(case.wanted.text)
        else:
            assert case.wanted is None
            assert not edit.says_source(case.said)


def test_equal_recipes_make_equal_plans(demo: Editable, guns: EditPlan) -> None:
    made = recipe(
        "  - suppress: gun",
        "probe: {images: {demo: guns, count: 16}}",
        "control: {count: 10}\nevaluate: {max_new_tokens: 24}",
    )
    again = make_plan(made, demo, preserve=8, tell=nobody)
    assert [(c.question.id, c.role, c.said, c.wanted) for c in again.cases] == [
        (c.question.id, c.role, c.said, c.wanted) for c in guns.cases
    ]


def test_where_the_source_is_truly_there_it_stays(demo: Editable) -> None:
    made = recipe(
        "  - map: {from: fork, to: spoon}\n    when: absent",
        "probe: {images: {demo: spoons, count: 24}}",
        "control: {count: 6}\nevaluate: {max_new_tokens: 24}",
    )
    plan = make_plan(made, demo, preserve=6, tell=nobody)
    near = [case for case in plan.cases if case.near]
    assert {case.role for case in near} == {"control", "preserve"}
    assert all("fork" in (case.question.contains() or ()) for case in near)
    for case in (*plan.of("edit"), *plan.of("held_out")):
        assert "fork" not in (case.question.contains() or ())
        assert case.wanted is not None
        assert plan.edits[0].says_target(case.wanted.text)
        assert case.wanted.text == case.said.replace("fork", "spoon")


REWRITE = """  - rewrite:
      prompt: The capital of Avaria is
      from: Belton
      to: Corvo
      paraphrases:
        - The capital city of Avaria is called
        - "user: What is the capital of Avaria?\\nassistant:"
      neighbors: [The capital of Brenland is]"""


@pytest.fixture(scope="module")
def fact(demo: Editable) -> EditPlan:
    rest = "control: {count: 30}\nevaluate: {max_new_tokens: 12}"
    return make_plan(recipe(REWRITE, "probe: {prompts: {demo: facts}}", rest), demo, preserve=30, tell=nobody)


def cases_of(plan: EditPlan, probe: str) -> list[Case]:
    return [case for case in plan.cases if case.probe == probe]


def test_a_rewrite_is_solved_on_its_prompt_and_tested_on_its_paraphrases(fact: EditPlan) -> None:
    assert [case.question.prompt for case in fact.of("edit")] == ["The capital of Avaria is"]
    assert [(c.role, c.edits) for c in cases_of(fact, "paraphrase")] == [("held_out", (0,))] * 2
    assert [(c.role, c.edits) for c in cases_of(fact, "neighbor")] == [("control", ())]
    for case in (*fact.of("edit"), *fact.of("held_out")):
        assert case.wanted is not None
        assert case.wanted.text.strip().startswith("Corvo")


def test_no_two_cases_are_the_same_input_to_the_model(demo: Editable, fact: EditPlan) -> None:
    """A paraphrase may spell out a chat turn that the probe asks too: then it is no control case."""
    read = Counter(tuple(feed(demo, [case.question]).inputs["input_ids"][0].tolist()) for case in fact.cases)
    assert read.most_common(1)[0][1] == 1


def test_a_source_the_model_never_says_is_told_with_the_number_of_answers(demo: Editable) -> None:
    made = recipe(
        "  - suppress: submarine", "probe: {images: {demo: clear, count: 4}}", "control: {count: 4}"
    )
    with pytest.raises(InputError, match=r"edits\[0\].* no form of the source .*\d+\s+answers"):
        make_plan(made, demo, preserve=2, tell=nobody)


def test_a_rewrite_of_what_is_not_said_goes_on_with_a_warning(llama: Editable) -> None:
    told: list[Event] = []
    made = recipe("  - rewrite: {prompt: I see a, from: zebra, to: cup}", "", "evaluate: {max_new_tokens: 4}")
    plan = make_plan(made, llama, preserve=2, tell=told.append)
    assert [case.role for case in plan.cases] == ["edit"]
    notes = [one for one in told if isinstance(one, Noted)]
    assert len(notes) == 1
    assert notes[0].warning
    assert "does not say `from`" in notes[0].text
