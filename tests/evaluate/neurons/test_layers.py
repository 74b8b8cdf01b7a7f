from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import UsageError
from editkit.evaluate.neurons.layers import layer_distribution
from editkit.neuron import Neuron, Neurons


def test_shares_of_each_layer(ranking: Callable[..., Neurons]) -> None:
    assert layer_distribution(ranking(31, 1, 32, 33, 12), 4, 5) == (0.25, 0.0, 0.0, 0.75, 0.0)


@given(indices=st.lists(st.integers(0, 39), unique=True, min_size=1, max_size=20), k=st.integers(1, 25))
def test_they_sum_to_one(ranking: Callable[..., Neurons], indices: list[int], k: int) -> None:
    assert sum(layer_distribution(ranking(*indices), k, 4)) == pytest.approx(1.0)


def test_experts_count_as_their_layer() -> None:
    some = Neurons((Neuron(0, 3, 1), Neuron(0, 3, 2), Neuron(1, 3)), (0.0,) * 3, "listed")
    assert layer_distribution(some, 3, 2) == pytest.approx((2 / 3, 1 / 3))


def test_nothing_and_too_much(ranking: Callable[..., Neurons]) -> None:
    assert layer_distribution(ranking(), 3, 2) == (0.0, 0.0)
    with pytest.raises(UsageError, match="a neuron of layer 3 in a model with layers 0 to 2"):
        layer_distribution(ranking(31), 3, 3)
