"""Neurons that push a word by being active below zero."""

from __future__ import annotations

from collections.abc import Callable

import torch

from editkit.events import nobody
from editkit.locate.activation import Activation
from editkit.locate.contribution import Contribution
from editkit.locate.signs import signs
from editkit.model.editable import Editable
from editkit.neuron import Neuron
from editkit.plan import EditPlan


def test_a_sign_is_that_of_the_mean_activation(
    any_model: Editable, plan_on: Callable[[Editable], EditPlan]
) -> None:
    plan = plan_on(any_model)
    found = Contribution().locate(any_model, plan, (0, 1, 2), 20, nobody)
    active = Activation().scores(any_model, plan, (0, 1, 2), nobody)
    seen = set()
    for own, ranking, scores in zip(signs(any_model, plan, found), found, active, strict=True):
        for sign, neuron in zip(own, ranking, strict=True):
            assert sign == (1 if float(scores[neuron.matrix][neuron.index]) >= 0 else -1)
            seen.add(sign)
    assert seen == ({1, -1} if any_model.model.config.model_type != "gpt2" else {1}), "GPT-2 has no gates"


def test_with_its_sign_what_pushes_a_word_points_to_it(
    llama: Editable, plan_on: Callable[[Editable], EditPlan]
) -> None:
    """In one case with one token a contribution is |activation| times what is decoded."""
    plan = plan_on(llama)
    alone = EditPlan(plan.edits[:1], plan.cases[:1], 1)
    found = Contribution(tokens="first").locate(llama, alone, (0, 1, 2), 10, nobody)
    token = llama.tokenizer.decode(plan.cases[0].said_tokens[1])
    every = llama.decoded(found[0].items, len(llama.tokenizer), signs(llama, alone, found)[0])
    plain = llama.decoded(found[0].items, len(llama.tokenizer))
    half = len(llama.tokenizer) // 2
    assert all(tokens.index(token) < half for tokens in every)
    assert any(tokens.index(token) >= half for tokens in plain)


def test_a_negative_sign_turns_the_list_around(llama: Editable) -> None:
    neurons, count = [Neuron(1, 3), Neuron(2, 5)], llama.unembedding.shape[0]
    up, down = llama.decoded(neurons, count), llama.decoded(neurons, count, [1, -1])
    assert up[0] == down[0]
    pushes = llama.directions(torch.arange(count)) @ llama.w_out(2).rows[5].float()
    assert down[1][0] == llama.tokenizer.decode([int(pushes.argmin())])
    assert up[1][0] == llama.tokenizer.decode([int(pushes.argmax())])
