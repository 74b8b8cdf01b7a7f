from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from editkit.evaluate.neurons.specificity import specificity
from editkit.neuron import Neurons


def test_one_minus_the_mean_overlap_with_the_others(ranking: Callable[..., Neurons]) -> None:
    found = specificity({"cat": ranking(1, 2), "dog": ranking(2, 3), "car": ranking(7, 8)}, 2)
    assert {name: value.value for name, value in found.items()} == {"cat": 0.75, "dog": 0.75, "car": 1.0}
    assert {value.count for value in found.values()} == {2}


def test_concepts_of_the_same_neurons_have_none(ranking: Callable[..., Neurons]) -> None:
    found = specificity(dict.fromkeys("abc", ranking(4, 5, 6)), 3)
    assert [value.value for value in found.values()] == [0.0] * 3


def test_only_the_top_counts(ranking: Callable[..., Neurons]) -> None:
    rankings = {"a": ranking(1, 2, 3), "b": ranking(9, 2, 3)}
    assert specificity(rankings, 1)["a"].value == 1.0
    assert specificity(rankings, 3)["a"].value == pytest.approx(1 / 3)


def test_alone_nothing_is_known(ranking: Callable[..., Neurons]) -> None:
    assert math.isnan(specificity({"a": ranking(1)}, 1)["a"].value)
