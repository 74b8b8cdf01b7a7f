"""Inputs for side effects get their role, and never another's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate import METRICS
from editkit.evaluate.observe import observe, unedited
from editkit.events import Event, Noted, StageStarted, nobody
from editkit.model.editable import Editable
from editkit.patch.file import Patch
from editkit.plan import Case, EditPlan, Question
from editkit.probe.planning import make_plan
from editkit.probe.side import SOURCES
from editkit.probe.side.given import Given
from editkit.probe.side.planned import admitted
from editkit.recipe import parse_recipe

EVERYTHING = """
version: 1
name: x
model: demo/scenes
probe: {images: {demo: guns, count: 16}}
control: {count: 10}
edits: [{suppress: gun}]
evaluate:
  max_new_tokens: 24
  perplexity: story.txt
  probes: {paraphrase: auto, negation: auto, modality: true, count: 4}
"""
QUESTIONS = st.builds(
    lambda at, group: Question(f"q{at}", f"g{group}", "what?"), st.integers(0, 6), st.integers(0, 3)
)
CASES = st.lists(
    st.builds(
        lambda question, role: Case(question, role, "", ()),
        QUESTIONS,
        st.sampled_from(["edit", "held_out", "preserve", "control"]),
    ),
    max_size=8,
)
GIVEN = st.lists(st.builds(Given, st.sampled_from(["one", "other"]), QUESTIONS), max_size=8)


@given(given=GIVEN, cases=CASES)
def test_no_input_has_two_roles_and_none_was_solved_on(given: list[Given], cases: list[Case]) -> None:
    kept = admitted(given, cases)
    assert not {one.question.id for one in kept} & {case.question.id for case in cases}
    solved = {case.question.group for case in cases if case.role in ("edit", "preserve")}
    assert not {one.question.group for one in kept} & solved
    places = [(one.suite, one.question.id) for one in kept]
    assert len(places) == len(set(places))
    free = [one for one in given if one not in kept and (one.suite, one.question.id) not in places]
    for one in free:
        taken = one.question.group in solved or one.question.id in {case.question.id for case in cases}
        assert taken


@pytest.fixture(scope="module")
def told() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def plan(demo: Editable, tmp_path_factory: pytest.TempPathFactory, told: list[Event]) -> EditPlan:
    folder = tmp_path_factory.mktemp("texts")
    (folder / "story.txt").write_text("There is a red cup and a hat. " * 60)
    recipe = parse_recipe(EVERYTHING, folder=folder)
    return make_plan(recipe, demo, preserve=8, tell=told.append)


def suite(plan: EditPlan, name: str) -> Sequence[Case]:
    return [case for case in plan.of("side") if case.suite == name]


def test_every_suite_is_there_and_no_role_overlaps(plan: EditPlan) -> None:
    counts = plan.counts()
    assert counts["side/paraphrase"] == 16
    assert counts["side/negation"] == 8
    assert counts["side/text_only"] == 1
    assert counts["side/image_only"] == 8
    assert counts["side/perplexity"] >= 2
    ids: dict[str, str] = {}
    for case in plan.cases:
        key = f"{case.question.id}{case.question.chat}"
        assert ids.setdefault(key, case.role) == case.role
    solved = {case.question.group for case in plan.cases if case.role in ("edit", "preserve")}
    assert not solved & {case.question.group for case in plan.of("side")}


def test_the_plan_without_them_is_the_same(plan: EditPlan, demo: Editable) -> None:
    bare = parse_recipe(EVERYTHING[: EVERYTHING.index("  perplexity")])
    made = make_plan(bare, demo, preserve=8, tell=nobody)
    assert [(case.question.id, case.role) for case in made.cases] == [
        (case.question.id, case.role) for case in plan.cases if case.role != "side"
    ]
    assert made.asked == plan.asked - len(plan.of("side"))


def test_texts_are_read_and_pictures_asked(plan: EditPlan) -> None:
    for case in plan.of("side"):
        assert (case.nats is not None) == (case.suite == "perplexity")
        assert case.nats is None or len(case.nats) == len(case.said_tokens) > 1
        assert case.wanted is None


def test_probes_belong_to_the_edits_of_their_input(plan: EditPlan) -> None:
    held_out = {case.question.group for case in plan.of("held_out")}
    for case in [*suite(plan, "paraphrase"), *suite(plan, "negation")]:
        assert case.question.group in held_out
        assert case.edits == (0,)
    assert all("gun" in case.question.prompt for case in suite(plan, "negation"))


def test_one_modality_is_judged_by_what_was_said_to_it(plan: EditPlan) -> None:
    for case in [*suite(plan, "text_only"), *suite(plan, "image_only")]:
        assert case.edits == ((0,) if plan.edits[0].says_source(case.said) else ())
        assert bool(case.question.images) == (case.suite == "image_only")
        assert bool(case.question.prompt) == (case.suite == "text_only")


def test_the_empty_patch_says_the_same_everywhere(
    plan: EditPlan, demo: Editable, random_rows: Callable[..., object], patch_of: Callable[..., Patch]
) -> None:
    rows = {key: (n, delta * 0) for key, (n, delta) in random_rows(demo, 0).items()}  # type: ignore[attr-defined]
    cases = plan.of("side")
    seen = observe(
        demo,
        cases,
        patch_of(demo, rows),
        name="ask",
        max_new_tokens=24,
        batch_size=8,
        drift=True,
        tell=nobody,
    )
    for one, before in zip(seen, unedited(cases), strict=True):
        assert one.text == before.text
        assert one.nats == pytest.approx(before.nats, abs=1e-5)
        assert one.divergence == ()


def test_what_is_left_out_is_told(demo: Editable, told: list[Event]) -> None:
    assert "ask for side effects" in {event.name for event in told if isinstance(event, StageStarted)}
    assert not [event for event in told if isinstance(event, Noted) and "left out" in event.text]


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_is_found_by_its_name(name: str) -> None:
    from importlib import import_module

    module, _, attribute = SOURCES[name].partition(":")
    assert callable(getattr(import_module(module), attribute))
    assert METRICS
