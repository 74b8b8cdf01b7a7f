"""Differences to twins, thresholds from random regions, and what both stages keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from editkit.demo.world import Scene, masks, scene
from editkit.errors import InputError
from editkit.events import Event, Noted, Shown, nobody
from editkit.locate.activation import Activation
from editkit.locate.activation_difference import ActivationDifference
from editkit.locate.gradient import Gradient
from editkit.locate.threshold import threshold
from editkit.locate.two_stage import Filtered, TwoStage
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.neuron import MatrixKey
from editkit.plan import Case, EditPlan, Painted, PlannedEdit, Twin
from editkit.probe.questions import question
from editkit.probe.scenes import picture
from editkit.region import Region

LAYERS = (0, 1, 2)


def less(shown: Scene) -> Scene:
    """A scene without its first thing."""
    return replace(shown, things=shown.things[1:])


def region(shown: Scene, at: int) -> Region:
    return Region.of(masks(shown)[shown.things[at].kind])


@pytest.fixture
def plan(llava: Editable, make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]) -> EditPlan:
    """Cases whose twins lack the first thing, and whose null twin lacks the second."""
    cases = []
    for seed in range(40):
        shown = scene(3, seed)
        if len(shown.things) < 2 or len(cases) == 3:
            continue
        asked = question("Describe the image in few words.", [picture(f"{seed}.png", shown)], chat=True)
        null = replace(shown, things=(shown.things[0], *shown.things[2:]))
        twin = Twin(
            0,
            Painted(picture("twin.png", less(shown)), region(shown, 0)),
            (Painted(picture("null.png", null), region(shown, 1)),),
        )
        cases.append(make_case(llava.tokenizer, asked, " a gun", twins=(twin,)))
    return EditPlan((make_edit(llava.tokenizer, "gun"),), tuple(cases), 3)


def emitted(editable: Editable, case: Case, twin: Any) -> dict[MatrixKey, torch.Tensor]:
    """The largest activation over the picture's tokens, `[d_mlp]` a layer."""
    asked = case.question if twin is None else replace(case.question, images=(twin.picture,))
    fed = feed(editable, [asked], [case.said_tokens])
    shown = fed.inputs["input_ids"][0] == editable.picture_token
    kept: dict[MatrixKey, torch.Tensor] = {}
    hooks = [
        place.module.register_forward_pre_hook(
            lambda m, given, key=place.key: kept.update({key: given[0][0, shown].amax(0)})
        )
        for place in editable.w_outs
    ]
    with torch.no_grad():
        editable.model(**call_inputs(editable, fed))
    for hook in hooks:
        hook.remove()
    return kept


def test_a_difference_is_the_pictures_largest_activation_minus_its_twins(
    llava: Editable, plan: EditPlan
) -> None:
    found = ActivationDifference(batch_size=2).scores(llava, plan, LAYERS, nobody)[0]
    for key, values in found.items():
        apart = [
            emitted(llava, case, None)[key] - emitted(llava, case, case.twins[0].without)[key]
            for case in plan.cases
        ]
        assert torch.allclose(values, torch.stack(apart).mean(0), atol=1e-4)


def test_what_both_stages_keep_is_what_each_keeps(llava: Editable, plan: EditPlan) -> None:
    kept = {}
    for stages in ("difference", "gradient", "both"):
        method = TwoStage(stages=stages, regions=1, quantile=0.6)  # type: ignore[arg-type]
        scores = method.scores(llava, plan, LAYERS, nobody)[0]
        kept[stages] = {key: values > -torch.inf for key, values in scores.items()}
    for key, both in kept["both"].items():
        assert torch.equal(both, kept["difference"][key] & kept["gradient"][key])
    assert 0 < sum(int(both.sum()) for both in kept["both"].values()) < 144


def test_thresholds_by_hand_and_the_ranking_by_the_last_stage(llava: Editable, plan: EditPlan) -> None:
    told: list[Event] = []
    by_hand = TwoStage(regions=1, threshold=0.01, threshold_gradient=0.0)
    found = by_hand.locate(llava, plan, LAYERS, "all", told.append)[0]
    differences = ActivationDifference().scores(llava, plan, LAYERS, nobody)[0]
    gradients = TwoStage(stages="gradient", regions=1, threshold_gradient=-1e9).scores(
        llava, plan, LAYERS, nobody
    )[0]
    expected = {
        (key, index)
        for key, values in differences.items()
        for index in ((values > 0.01) & (gradients[key] > 0.0)).nonzero().flatten().tolist()
    }
    assert {(neuron.matrix, neuron.index) for neuron in found} == expected
    for neuron, score in zip(found.items, found.scores, strict=True):
        assert score == pytest.approx(float(gradients[neuron.matrix][neuron.index]), abs=1e-5)
    shown = [event.value for event in told if isinstance(event, Shown)]
    assert isinstance(shown[0], Filtered)
    assert shown[0].kept == len(found)
    assert shown[0].first is not None
    assert shown[0].first.value == 0.01


def test_thresholds_that_nothing_passes_are_told(llava: Editable, plan: EditPlan) -> None:
    told: list[Event] = []
    found = TwoStage(regions=1, threshold=1e9).locate(llava, plan, LAYERS, 8, told.append)
    assert len(found[0]) == 0
    assert any(isinstance(event, Noted) and "keeps no neuron" in event.text for event in told)


@pytest.mark.parametrize("method", [TwoStage(), ActivationDifference()])
def test_without_twins_it_says_what_to_give(llava: Editable, plan: EditPlan, method: Any) -> None:
    bare = replace(plan, cases=tuple(replace(case, twins=()) for case in plan.cases))
    with pytest.raises(InputError, match=r"edits\[0\]: no picture .*COCO instances, masks, boxes"):
        method.locate(llava, bare, LAYERS, 8, nobody)


def test_others_are_those_without_the_source(
    llava: Editable, plan_on: Callable[[Editable], EditPlan]
) -> None:
    plan = plan_on(llava)
    everywhere = replace(plan, cases=plan.cases[:2], edits=plan.edits[:1])
    with pytest.raises(InputError, match="every input says the source"):
        ActivationDifference(against="others").locate(llava, everywhere, LAYERS, 8, nobody)


def test_in_the_answer_the_second_stage_is_the_gradient_there(llava: Editable, plan: EditPlan) -> None:
    """And what chance gives is what painting random regions takes from it."""
    everything = {"threshold_gradient": -1e9, "stages": "gradient", "at": "answer"}
    found = TwoStage(regions=1, **everything).scores(llava, plan, LAYERS, nobody)[0]  # type: ignore[arg-type]
    expected = Gradient(at="answer").scores(llava, plan, LAYERS, nobody)[0]
    assert all(torch.allclose(found[key], expected[key], atol=1e-5) for key in expected)
    told: list[Event] = []
    TwoStage(regions=1, stages="gradient", at="answer").scores(llava, plan, LAYERS, told.append)
    shown = next(event.value for event in told if isinstance(event, Shown))
    painted = [
        replace(case, question=replace(case.question, images=(case.twins[0].nulls[0].picture,)))
        for case in plan.cases
    ]
    after = Gradient(at="answer").scores(llava, replace(plan, cases=tuple(painted)), LAYERS, nobody)[0]
    lost = torch.cat([expected[key] - after[key] for key in expected])
    assert isinstance(shown, Filtered)
    assert shown.second is not None
    assert torch.allclose(shown.second.null, lost, atol=1e-5)


def test_in_the_answer_a_difference_is_read_after_the_same_words(llava: Editable, plan: EditPlan) -> None:
    found = ActivationDifference(at="answer").scores(llava, plan, LAYERS, nobody)[0]
    before = Activation().scores(llava, plan, LAYERS, nobody)[0]
    twins = [
        replace(case, question=replace(case.question, images=(case.twins[0].without.picture,)))
        for case in plan.cases
    ]
    after = Activation().scores(llava, replace(plan, cases=tuple(twins)), LAYERS, nobody)[0]
    assert all(torch.allclose(found[key], before[key] - after[key], atol=1e-4) for key in found)


@given(
    some.lists(some.floats(-5, 5), min_size=1, max_size=60),
    some.floats(0.01, 0.99),
)
def test_so_much_of_the_null_distribution_lies_below_the_threshold(
    null: list[float], quantile: float
) -> None:
    chance = {(0, None): torch.tensor(null, dtype=torch.float64)}
    found = threshold(chance, [chance], quantile, None)
    share = float((found.null <= found.value).double().mean())
    assert share >= quantile
    assert float((found.null < found.value).double().mean()) <= quantile
