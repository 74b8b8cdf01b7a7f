"""Integrated gradients sum to what silencing the neurons takes from the word's probability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from editkit.events import nobody
from editkit.locate.integrated_gradients import IntegratedGradients
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.plan import Case, EditPlan, PlannedEdit, Question
from editkit.probe.positions import source_positions
from editkit.probe.questions import question

# Random weights as large as those of the tiny models make the way from silence a crooked one.
CROOKED = 200


def lost(editable: Editable, case: Case, at: int, layers: Sequence[int]) -> float:
    """P(token) minus P(token) with the activations of these layers at its position set to 0."""
    fed = feed(editable, [case.question], [case.said_tokens[:at]])
    column = fed.n_prompt - 1 + at

    def silence(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        entering = given[0].clone()
        entering[:, column] = 0.0
        return (entering, *given[1:])

    def p() -> float:
        with torch.no_grad():
            logits = editable.model(**call_inputs(editable, fed)).logits[0, column]
        return float(logits.softmax(-1)[case.said_tokens[at]])

    whole = p()
    hooks = [
        place.module.register_forward_pre_hook(silence) for place in editable.w_outs if place.layer in layers
    ]
    without = p()
    for hook in hooks:
        hook.remove()
    return whole - without


def check(editable: Editable, case: Case, edit: PlannedEdit, steps: int) -> None:
    plan, layers = EditPlan((edit,), (case,), 1), tuple(range(len(editable.layers)))
    places = source_positions(editable.tokenizer, case, edit)
    by_layer = IntegratedGradients(steps=steps).scores(editable, plan, layers, nobody)[0]
    for layer in layers:
        expected = sum(lost(editable, case, at, [layer]) for at in places) / len(places)
        assert float(by_layer[layer, None].sum()) == pytest.approx(expected, rel=0.01, abs=1e-5)
    together = IntegratedGradients(path="joint", steps=2 * steps).scores(editable, plan, layers, nobody)[0]
    expected = sum(lost(editable, case, at, layers) for at in places) / len(places)
    assert float(sum(values.sum() for values in together.values())) == pytest.approx(
        expected, rel=0.01, abs=1e-5
    )


@pytest.mark.parametrize("said", [" a gun", " the umbrella"])
def test_attributions_sum_to_the_difference_in_output(
    any_model: Editable,
    ask: Callable[..., list[Question]],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
    said: str,
) -> None:
    edit = make_edit(any_model.tokenizer, "gun", "umbrella")
    check(any_model, make_case(any_model.tokenizer, ask(any_model)[1], said), edit, CROOKED)


@pytest.mark.real
def test_completeness_on_a_model_nobody_here_made(
    make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit], real_data: Callable[[str], Path]
) -> None:
    from editkit.model.open import open_model
    from editkit.recipe import ModelRef

    stories = open_model(ModelRef(id=str(real_data("models/stories260k"))))
    edit = make_edit(stories.tokenizer, "mom")
    said = " there was a girl and her mom."
    check(stories, make_case(stories.tokenizer, question("Once upon a time"), said), edit, 20)


def test_only_so_many_cases_are_looked_at(llama: Editable, plan_on: Callable[[Editable], EditPlan]) -> None:
    plan = plan_on(llama)
    few = IntegratedGradients(cases=1, steps=2).scores(llama, plan, (1,), nobody)
    first = EditPlan(plan.edits, plan.cases[:1], 1)
    alone = IntegratedGradients(steps=2).scores(llama, first, (1,), nobody)
    assert torch.allclose(few[0][1, None], alone[0][1, None], atol=1e-6)
