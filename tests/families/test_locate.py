"""Every localizer on every family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from editkit.demo.world import masks, scene
from editkit.events import nobody
from editkit.locate.activation_difference import ActivationDifference
from editkit.locate.gradient import Gradient
from editkit.locate.integrated_gradients import IntegratedGradients
from editkit.locate.log_prob_increase import LogProbIncrease
from editkit.locate.two_stage import TwoStage
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.model.hooks import adding
from editkit.plan import Case, EditPlan, Painted, PlannedEdit, Question, Twin
from editkit.probe.scenes import picture
from editkit.region import Region
from tests.families import FAMILIES, Family
from tests.families.ask import questions

pytestmark = pytest.mark.filterwarnings(
    # PaliGemma's processor hands torch's tensors to numpy in a way that numpy will drop.
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
SAID = (20, 21, 22)


@pytest.fixture(params=FAMILIES.values(), ids=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return request.param


@pytest.fixture
def model(family: Family, editable: Callable[[Family], Editable]) -> Editable:
    return editable(family)


@pytest.fixture
def plan(model: Editable) -> EditPlan:
    """One rewrite, whose first token is what counts: tiny tokenizers have no words."""
    edit = PlannedEdit(0, "rewrite", "rewrite", ("\0",), "x", ())
    asked = questions(model)
    cases = [Case(one, "edit", "said", SAID, (0,)) for one in asked[:2]]
    cases.append(Case(asked[2], "preserve", "other", (23,)))
    return EditPlan((edit,), tuple(cases), 3)


def layers_of(model: Editable) -> tuple[int, ...]:
    return tuple(range(len(model.layers)))


def p_of(model: Editable, case: Case, rows: Any) -> float:
    fed = feed(model, [case.question], [case.said_tokens])
    with torch.no_grad(), adding(model, rows):
        logits = model.model(**call_inputs(model, fed)).logits[0, fed.n_prompt - 1]
    return float(logits[SAID[0]])


def test_a_gradient_is_what_a_small_change_does(model: Editable, plan: EditPlan) -> None:
    """Along the neurons' own rows, everywhere at once: the logit moves by the sum of the attributions."""
    found = Gradient(at="answer", batch_size=1).scores(model, plan, layers_of(model), nobody)[0]
    assert all(torch.isfinite(values).all() for values in found.values())
    last = model.matrices([len(model.layers) - 1])
    eps = 1e-3
    moved = 0.0
    for case in plan.of("edit"):
        sides = []
        for sign in (1.0, -1.0):
            rows = {
                key: (torch.arange(model.w_out(*key).shape[0]), sign * eps * model.w_out(*key).rows)
                for key in last
            }
            sides.append(p_of(model, case, rows))
        moved += (sides[0] - sides[1]) / (2 * eps) / 2
    # In the last layer nothing but the position itself reaches the logit.
    assert moved == pytest.approx(sum(float(found[key].sum()) for key in last), abs=2e-2, rel=2e-2)


def test_integrated_gradients_are_complete_by_layer(model: Editable, plan: EditPlan) -> None:
    method = IntegratedGradients(steps=6, batch_size=2)
    found = method.scores(model, plan, layers_of(model), nobody)[0]
    assert set(found) == set(model.matrices(layers_of(model)))
    assert all(torch.isfinite(values).all() for values in found.values())
    assert sum(float(values.abs().sum()) for values in found.values()) > 0


def test_an_increase_in_log_probability_is_that_of_the_last_layer(model: Editable, plan: EditPlan) -> None:
    """Nothing follows a neuron of the last layer but the final norm, so it can be taken away for real."""
    method = LogProbIncrease(candidates=5, batch_size=1)
    found = method.scores(model, plan, layers_of(model), nobody)[0]
    assert all(torch.isfinite(values).all() for values in found.values())
    assert all(int((values != 0).sum()) > 0 for key, values in found.items() if key[1] is None)


def test_two_stages_see_twins_of_every_vision_family(model: Editable, plan: EditPlan) -> None:
    if not model.accepts_images:
        found = ActivationDifference(against="others").scores(model, plan, layers_of(model), nobody)[0]
        assert all(torch.isfinite(values).all() for values in found.values())
        return
    shown, other = scene(5, 0), scene(6, 1)
    region = Region.of(next(iter(masks(shown).values())))
    twin = Twin(
        0, Painted(picture("t.png", other), region), (Painted(picture("n.png", scene(7, 2)), region),)
    )
    cases = [
        Case(
            Question(str(at), str(at), case.question.prompt, (picture("a.png", shown),), case.question.chat),
            "edit",
            "said",
            SAID,
            (0,),
            twins=(twin,),
        )
        for at, case in enumerate(plan.of("edit"))
    ]
    asked = EditPlan(plan.edits, tuple(cases), 2)
    found = TwoStage(regions=1, quantile=0.2).scores(model, asked, layers_of(model), nobody)[0]
    assert set(found) == set(model.matrices(layers_of(model)))
    assert not any(torch.isnan(values).any() for values in found.values())
