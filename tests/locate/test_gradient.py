"""Activation x gradient, against the derivative of the model with its activations as leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from editkit.events import nobody
from editkit.locate.gradient import Gradient
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.plan import Case, EditPlan, PlannedEdit, Question
from editkit.probe.positions import source_positions


def derived(editable: Editable, case: Case, edit: PlannedEdit) -> tuple[dict[int, torch.Tensor], Any]:
    """`o * dy/do` at every position, `[n_tokens, d_mlp]` a layer, derived from the whole model."""
    fed = feed(editable, [case.question], [case.said_tokens])
    leaves: dict[int, torch.Tensor] = {}

    def lift(layer: int) -> Any:
        def enter(module: Any, given: Any) -> Any:
            entering = given[0]
            leaves[layer] = torch.zeros_like(entering).requires_grad_()
            kept[layer] = entering.detach()
            return (entering + leaves[layer],)

        return enter

    kept: dict[int, torch.Tensor] = {}
    hooks = [place.module.register_forward_pre_hook(lift(place.layer)) for place in editable.w_outs]
    logits = editable.model(**call_inputs(editable, fed)).logits
    for hook in hooks:
        hook.remove()
    own = source_positions(editable.tokenizer, case, edit)
    y = sum(logits[0, fed.n_prompt - 1 + at, case.said_tokens[at]] for at in own) / len(own)
    grads = torch.autograd.grad(y, list(leaves.values()))
    return {layer: (kept[layer] * grad)[0] for layer, grad in zip(leaves, grads, strict=True)}, (fed, own)


@pytest.mark.parametrize("said", [" a gun", " the umbrella"])
def test_where_the_word_is_said_it_is_the_models_derivative(
    any_model: Editable,
    ask: Callable[..., list[Question]],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
    said: str,
) -> None:
    edit = make_edit(any_model.tokenizer, "gun", "umbrella")
    case = make_case(any_model.tokenizer, ask(any_model)[1], said)
    found = Gradient(at="answer").scores(any_model, EditPlan((edit,), (case,), 1), (0, 1, 2), nobody)[0]
    expected, (fed, own) = derived(any_model, case, edit)
    for (layer, _), values in found.items():
        places = [fed.n_prompt - 1 + at for at in own]
        assert torch.allclose(values, expected[layer][places].mean(0), atol=1e-4)


@pytest.mark.parametrize("reduce", ["max", "mean"])
def test_over_a_picture_it_is_reduced_over_the_pictures_tokens(
    llava: Editable,
    ask: Callable[..., list[Question]],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
    reduce: Any,
) -> None:
    edit = make_edit(llava.tokenizer, "gun")
    case = make_case(llava.tokenizer, ask(llava)[0], " a gun")
    found = Gradient(reduce=reduce).scores(llava, EditPlan((edit,), (case,), 1), (0, 2), nobody)[0]
    expected, (fed, _) = derived(llava, case, edit)
    shown = (fed.inputs["input_ids"][0] == llava.picture_token).nonzero().flatten()
    for (layer, _), values in found.items():
        own = expected[layer][shown]
        assert torch.allclose(values, own.amax(0) if reduce == "max" else own.mean(0), atol=1e-4)


def test_nothing_is_left_behind(llava: Editable, plan_on: Callable[[Editable], EditPlan]) -> None:
    def hooks() -> list[int]:
        """transformers leaves some of its own in the vision tower, at the first pass."""
        return [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in llava.model.modules()]

    Gradient().scores(llava, plan_on(llava), (0, 1, 2), nobody)
    before = hooks()
    Gradient().scores(llava, plan_on(llava), (0, 1, 2), nobody)
    assert hooks() == before
    layers = llava.model.model.language_model.layers
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in layers.modules())
    assert not any(parameter.requires_grad for parameter in llava.model.parameters())
