"""The contribution score, against the definition and against the model's own sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from editkit.events import nobody
from editkit.locate.contribution import Contribution
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.neuron import MatrixKey, Neuron
from editkit.plan import Case, EditPlan, PlannedEdit, Question
from editkit.probe.positions import source_positions
from editkit.probe.questions import question


def pushes(editable: Editable, case: Case, places: list[int]) -> dict[MatrixKey, float]:
    """What each W_out adds to the logits of the case's tokens, mean over places, without bias."""
    fed = feed(editable, [case.question], [case.said_tokens])
    left: dict[int, torch.Tensor] = {}
    removers = [
        place.module.register_forward_hook(lambda m, i, out, layer=place.layer: left.update({layer: out}))
        for place in editable.w_outs
    ]
    try:
        with torch.no_grad():
            editable.model(**call_inputs(editable, fed))
    finally:
        for remover in removers:
            remover.remove()
    found = {}
    for place in editable.w_outs:
        bias = getattr(place.module, "bias", None)
        values = [
            (left[place.layer][0, fed.n_prompt - 1 + at] - (0.0 if bias is None else bias))
            @ editable.unembedding[case.said_tokens[at]]
            for at in places
        ]
        found[place.key] = float(sum(values)) / len(values)
    return found


@pytest.mark.parametrize("said", [" a gun and a cup", " the umbrella", " a knife, a zebra."])
@pytest.mark.parametrize("tokens", ["all", "first"])
def test_a_layers_contributions_sum_to_its_push_on_the_logit(
    any_model: Editable,
    ask: Callable[..., list[Question]],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
    said: str,
    tokens: str,
) -> None:
    edit = make_edit(any_model.tokenizer, "gun", "umbrella", "zebra")
    cases = tuple(make_case(any_model.tokenizer, asked, said) for asked in ask(any_model))
    scores = Contribution(tokens=tokens).scores(any_model, EditPlan((edit,), cases, 1), (0, 1, 2), nobody)[0]  # type: ignore[arg-type]
    places = source_positions(any_model.tokenizer, cases[0], edit)
    places = places[:1] if tokens == "first" else places
    whole = [pushes(any_model, case, places) for case in cases]
    assert list(scores) == [(0, None), (1, None), (2, None)]
    for key, values in scores.items():
        expected = sum(one[key] for one in whole) / len(whole)
        assert values.shape == any_model.row_norms(*key).shape
        assert float(values.sum()) == pytest.approx(expected, abs=1e-4, rel=1e-4)


def test_a_neurons_score_is_activation_times_its_rows_push(
    llama: Editable, make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]
) -> None:
    edit = make_edit(llama.tokenizer, "gun")
    case = make_case(llama.tokenizer, question("I see"), " a gun")
    place = source_positions(llama.tokenizer, case, edit)[0]
    fed = feed(llama, [case.question], [case.said_tokens])
    entered: dict[int, torch.Tensor] = {}
    removers = [
        w.module.register_forward_pre_hook(lambda m, given, layer=w.layer: entered.update({layer: given[0]}))
        for w in llama.w_outs
    ]
    with torch.no_grad():
        llama.model(**call_inputs(llama, fed))
    for remover in removers:
        remover.remove()
    scores = Contribution(tokens="first").scores(llama, EditPlan((edit,), (case,), 1), (1,), nobody)[0]
    assert list(scores) == [(1, None)]
    for index in (0, 17, 47):
        activation = entered[1][0, fed.n_prompt - 1 + place, index]
        row = llama.model.model.layers[1].mlp.down_proj.weight[:, index]
        expected = activation * (row @ llama.model.lm_head.weight[case.said_tokens[place]])
        assert float(scores[1, None][index]) == pytest.approx(float(expected), abs=1e-5)


def test_a_ranking_for_each_edit_from_its_own_cases(
    llama: Editable, make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]
) -> None:
    edits = (make_edit(llama.tokenizer, "gun"), make_edit(llama.tokenizer, "cup", number=1))
    cases = (
        make_case(llama.tokenizer, question("I see"), " a gun"),
        make_case(llama.tokenizer, question("You see"), " a cup", edits=(1,)),
        make_case(llama.tokenizer, question("We see"), " a cup", "held_out", edits=(1,)),
    )
    plan = EditPlan(edits, cases, 3)
    both = Contribution().locate(llama, plan, (0, 1, 2), 5, nobody)
    alone = Contribution().locate(llama, replace(plan, cases=cases[:1]), (0, 1, 2), 5, nobody)
    assert [len(part) for part in both] == [5, 5]
    assert both[0].items == alone[0].items
    assert both[0].items != both[1].items
    assert list(both[0].scores) == sorted(both[0].scores, reverse=True)
    assert {neuron.layer for neuron in Contribution().locate(llama, plan, (2,), "all", nobody)[0]} == {2}


def test_the_batch_size_does_not_matter(
    any_model: Editable,
    ask: Callable[..., list[Question]],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
) -> None:
    edit = make_edit(any_model.tokenizer, "gun", "zebra")
    said = (" a gun", " a zebra and a gun", " the gun")
    cases = tuple(
        make_case(any_model.tokenizer, asked, text) for asked, text in zip(ask(any_model), said, strict=True)
    )
    first, second = (
        Contribution(batch_size=size).scores(any_model, EditPlan((edit,), cases, 1), (0, 1, 2), nobody)[0]
        for size in (1, 32)
    )
    assert all(torch.allclose(first[key], second[key], atol=1e-4) for key in first)


def test_an_empty_answer_is_ranked_by_what_ends_it(
    llama: Editable, make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]
) -> None:
    edit = make_edit(llama.tokenizer, "gun", kind="rewrite", target="cup")
    case = make_case(llama.tokenizer, question("I see"), "")
    fed = feed(llama, [case.question])
    scores = Contribution().scores(llama, EditPlan((edit,), (case,), 1), (1,), nobody)[0][1, None]
    seen: list[torch.Tensor] = []
    remover = llama.w_out(1).module.register_forward_pre_hook(lambda m, given: seen.append(given[0]))
    with torch.no_grad():
        llama.model(**call_inputs(llama, fed))
    remover.remove()
    end = llama.unembedding[llama.tokenizer.eos_token_id]
    expected = seen[0][0, -1] * (llama.w_out(1).rows @ end)
    assert torch.allclose(scores, expected, atol=1e-5)


@pytest.mark.real
def test_completeness_on_a_model_nobody_here_made(
    make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit], real_data: Callable[[str], Path]
) -> None:
    from editkit.model.open import open_model
    from editkit.recipe import ModelRef

    stories = open_model(ModelRef(id=str(real_data("models/stories260k"))))
    edit = make_edit(stories.tokenizer, "mom")
    case = make_case(stories.tokenizer, question("Once upon a time"), " there was a girl and her mom.")
    places = source_positions(stories.tokenizer, case, edit)
    scores = Contribution().scores(stories, EditPlan((edit,), (case,), 1), tuple(range(5)), nobody)[0]
    for key, expected in pushes(stories, case, places).items():
        assert float(scores[key].sum()) == pytest.approx(expected, abs=1e-4)
    ranked = Contribution().locate(stories, EditPlan((edit,), (case,), 1), (0, 1, 2, 3, 4), 1, nobody)
    assert isinstance(ranked[0].items[0], Neuron)
