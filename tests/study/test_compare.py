"""Localizers side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from editkit.errors import InputError, RecipeError, UsageError
from editkit.events import Event, Noted, nobody
from editkit.locate.contribution import Contribution
from editkit.model.editable import Editable
from editkit.plan import Case, EditPlan, PlannedEdit
from editkit.probe.questions import question
from editkit.recipe import Recipe, parse_recipe
from editkit.study.compare import Comparison, compare_on
from editkit.study.drawing import drawn
from editkit.study.subjects import one_by_one, subjects
from editkit.study.variants import variants
from editkit.study.words import NAMES, markdown


def test_every_figure_is_measured_for_every_localizer(comparison: Comparison) -> None:
    expected = set(NAMES) - {"sensitivity/bleurt"}
    for method in comparison.methods:
        # Of the few pictures with twins none may show both words.
        # And which tokens show an object can't be asked where tokens are shuffled.
        left_out = {"sharing", "region_invariance"} if "two_stage" in method.name else {"sharing"}
        assert expected - set(method.figures) <= left_out
        assert set(method.figures) <= expected
        assert sum(method.layers) == pytest.approx(1.0)
        assert all(len(ranking) == 64 for ranking in method.neurons)
    assert comparison.concepts == ("gun", "cup")
    assert any("bleurt: no model named" in reason for reason in comparison.unavailable)


def test_the_rankings_are_those_of_the_localizers(
    comparison: Comparison, demo: Editable, plan: EditPlan
) -> None:
    alone = Contribution().locate(demo, plan, (0, 1, 2, 3), 4, nobody)
    assert [one.top(4).items for one in comparison.methods[0].neurons] == [one.items for one in alone]


def test_located_neurons_mean_more_than_random_ones(comparison: Comparison) -> None:
    located, random = comparison.methods[0].figures, comparison.methods[1].figures
    for name in ("sensitivity/bertscore", "cross_image_invariance", "causal_effect"):
        assert located[name].value > random[name].value, name
    assert located["suppression"].value >= random["suppression"].value


def test_overlaps_are_shares_of_the_top(comparison: Comparison) -> None:
    for at, row in enumerate(comparison.overlaps):
        assert row[at] == 1.0
        assert all(0.0 <= share <= 1.0 for share in row)
        assert [other[at] for other in comparison.overlaps] == list(row)


def test_the_words_say_every_figure(comparison: Comparison) -> None:
    text = markdown(comparison)
    for name in set(NAMES) - {"sensitivity/bleurt"}:
        assert f"| {NAMES[name]} | " in text
    assert "| two_stage:regions=1 |" in text
    assert "Not measured: bleurt" in text


def test_figures_are_drawn_under_names_without_words(comparison: Comparison) -> None:
    figures = dict(drawn(comparison))
    assert set(figures) == {"comparison.png", "overlap.png", "layers.png", "ranks.png"}


def test_each_case_can_be_a_concept_of_its_own(demo: Editable, plan: EditPlan) -> None:
    single, owners = one_by_one(plan, 3)
    assert 3 < len(single.edits) == len(owners) <= 6
    found = Contribution().locate(demo, single, (3,), 4, nobody)
    for number, (place, case) in enumerate(owners):
        own = replace(case, edits=(0,))
        edit = replace(plan.edits[place], number=0)
        alone = Contribution().locate(demo, EditPlan((edit,), (own,), 1), (3,), 4, nobody)[0]
        assert found[number].items == alone.items


def test_cases_that_say_the_word_are_never_among_the_others(plan: EditPlan) -> None:
    for subject in subjects(plan):
        assert subject.asked
        assert all(subject.edit.number in case.edits for case in subject.asked)
        assert not any(subject.edit.says_source(case.said) for case in subject.others)


def test_with_nothing_else_to_compare_with_it_says_so(
    llama: Editable, make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]
) -> None:
    case = make_case(llama.tokenizer, question("I see"), " a gun")
    plan = EditPlan((make_edit(llama.tokenizer, "gun"),), (case,), 1)
    with pytest.raises(InputError, match="nothing is left to compare with: give control inputs"):
        subjects(plan)


@pytest.mark.parametrize(
    ("names", "error", "says"),
    [
        (("contribution", "contribution"), UsageError, "compared with itself"),
        (("contribusion",), RecipeError, "did you mean contribution"),
        (("gradient:at",), UsageError, "write gradient:key=value"),
        (("gradient:at=nowhere",), RecipeError, "locate.at"),
        (("gradient:top=4",), RecipeError, "locate.top"),
    ],
)
def test_a_localizer_that_is_not_there_is_told(
    words: Recipe, names: tuple[str, ...], error: Any, says: str
) -> None:
    with pytest.raises(error, match=says):
        variants(words, names)


def test_settings_of_the_recipes_own_method_are_kept() -> None:
    recipe = parse_recipe(
        "version: 1\nname: a\nmodel: demo/scenes\nprobe: {prompts: [a]}\nedits: [{suppress: gun}]\n"
        "locate: {method: contribution, tokens: first}\n"
    )
    own, other = variants(recipe, ("contribution", "contribution:tokens=all"))
    assert own.localizer == Contribution(tokens="first")
    assert other.localizer == Contribution(tokens="all")


def test_all_neurons_are_no_top(words: Recipe, demo: Editable, plan: EditPlan) -> None:
    everything = words.model_copy(update={"locate": words.locate.model_copy(update={"top": "all"})})
    with pytest.raises(UsageError, match=r"give locate\.top a number"):
        compare_on(everything, demo, plan, ("contribution",))


def test_what_has_no_picture_is_compared_by_what_is_left(
    llama: Editable, make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]
) -> None:
    words = llama.tokenizer
    cases = [make_case(words, question(f"{start} see"), " a gun") for start in ("I", "You", "We")]
    cases.append(make_case(words, question("They see"), " a cup", "control"))
    plan = EditPlan((make_edit(words, "gun"),), tuple(cases), 4)
    recipe = parse_recipe(
        "version: 1\nname: a\nmodel: ./x\nprobe: {prompts: [a]}\nedits: [{suppress: gun}]\n"
        "locate: {top: 3}\nevaluate: {max_new_tokens: 4}\n"
    )
    told: list[Event] = []
    found = compare_on(recipe, llama, plan, ("contribution", "gradient"), tell=told.append)
    assert "region_invariance" not in found.columns()
    assert "specificity" not in found.columns()
    assert "cross_image_invariance" in found.columns()
    assert any(isinstance(event, Noted) and "no encoder named" in event.text for event in told)
