"""Means over neurons."""

from __future__ import annotations

import numpy as np

from editkit.heat import Heat
from editkit.neuron import Neuron

NEURONS = (Neuron(0, 1), Neuron(0, 2))
VALUES = np.array([[[1.0, 2.0]], [[3.0, -4.0]]], dtype=np.float32)
HEAT = Heat(NEURONS, VALUES, (1, 2), (0.0, 0.0, 1.0, 1.0), "patches")


def test_the_mean_is_over_neurons_with_their_weights() -> None:
    assert HEAT.mean().tolist() == [[2.0, -1.0]]
    assert HEAT.mean((1.0, -2.0)).tolist() == [[-2.5, 5.0]]


def test_the_first_neurons_alone() -> None:
    assert HEAT.top(1).mean().tolist() == [[1.0, 2.0]]
    assert HEAT.top(1).neurons == NEURONS[:1]


def test_no_tokens_have_an_empty_mean() -> None:
    nothing = Heat(NEURONS, np.zeros((2, 0), dtype=np.float32), None, (0.0, 0.0, 1.0, 1.0), "not there")
    assert nothing.mean().shape == (0,)
    assert nothing.mean((1.0, 1.0)).shape == (0,)
