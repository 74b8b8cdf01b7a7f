"""Rankings made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from editkit.neuron import Neuron, Neurons


@pytest.fixture(scope="session")
def ranking() -> Callable[..., Neurons]:
    """`ranking(3, 1, 7)`: neurons of those indices in that order, ten to a layer."""

    def make(*indices: int) -> Neurons:
        items = tuple(Neuron(index // 10, index) for index in indices)
        return Neurons(items, tuple(float(-place) for place in range(len(items))), "listed")

    return make
