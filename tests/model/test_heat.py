"""What neurons emit over a picture, against the inputs of W_out themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from editkit.errors import UsageError
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.model.heat import heat, heats
from editkit.model.sight import picture_places
from editkit.neuron import Neuron
from editkit.plan import Question
from editkit.probe.questions import question

NEURONS = (Neuron(2, 5), Neuron(0, 47), Neuron(2, 0), Neuron(1, 12))


def entering(editable: Editable, asked: Question) -> dict[int, torch.Tensor]:
    """What enters each W_out, layer -> `[n_tokens, d_mlp]`."""
    seen: dict[int, torch.Tensor] = {}
    removers = [
        place.module.register_forward_pre_hook(
            lambda module, given, layer=place.layer: seen.update({layer: given[0][0].clone()})
        )
        for place in editable.w_outs
    ]
    with torch.no_grad():
        editable.model(**call_inputs(editable, feed(editable, [asked])))
    for remover in removers:
        remover.remove()
    return seen


def test_values_are_the_inputs_of_w_out_at_the_pictures_tokens(
    llava: Editable, ask: Callable[..., list[Question]]
) -> None:
    asked = ask(llava)[0]
    (found,) = heat(llava, asked, NEURONS)
    place = picture_places(llava, feed(llava, [asked]))[0][0]
    seen = entering(llava, asked)
    assert found.neurons == NEURONS
    assert found.values.dtype == np.float32
    assert (found.grid, found.values.shape, found.area) == ((2, 2), (4, 2, 2), (0.0, 0.0, 1.0, 1.0))
    for neuron, values in zip(NEURONS, found.values, strict=True):
        expected = seen[neuron.layer][place.view, neuron.index].reshape(2, 2)
        assert np.allclose(values, expected, atol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 16])
def test_batches_change_nothing_and_every_picture_has_its_own(
    llava: Editable, ask: Callable[..., list[Question]], size: int
) -> None:
    three = ask(llava)
    both = question("the gun", [three[0].images[0], three[1].images[0]])
    asked = [three[0], both, question("the gun"), *three[1:]]
    found = heats(llava, asked, NEURONS, size)
    assert [len(own) for own in found] == [1, 2, 0, 1, 1]
    for own, one in zip(found, asked, strict=True):
        for batched, alone in zip(own, heat(llava, one, NEURONS), strict=True):
            assert np.allclose(batched.values, alone.values, atol=1e-5)


def test_no_neurons_and_no_pictures_are_no_work(
    llava: Editable, llama: Editable, ask: Callable[..., list[Question]]
) -> None:
    assert heat(llava, ask(llava)[0], ())[0].values.shape == (0, 2, 2)
    assert heat(llama, question("the gun"), NEURONS) == ()
    assert heats(llava, [], NEURONS) == []


def test_a_neuron_that_is_not_there_is_refused(llava: Editable, ask: Callable[..., list[Question]]) -> None:
    with pytest.raises(UsageError, match="layers 0 to 2"):
        heat(llava, ask(llava)[0], (Neuron(7, 0),))
