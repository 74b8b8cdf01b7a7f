from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate.neurons.sharing import sharing
from editkit.neuron import Neurons

TOPS = st.lists(st.integers(0, 9), unique=True, min_size=3, max_size=3)


def test_only_pictures_with_several_concepts_count(ranking: Callable[..., Neurons]) -> None:
    found = sharing(
        {
            "one.png": {"cat": ranking(1, 2, 3, 4), "dog": ranking(3, 5, 6, 7), "car": ranking(3, 4, 8, 9)},
            "two.png": {"cat": ranking(1, 2, 3, 4), "dog": ranking(5, 6, 7, 8)},
            "three.png": {"cat": ranking(5, 6, 7, 8), "dog": ranking(5, 6, 7, 8)},
            "four.png": {"hat": ranking(1, 2, 3, 4)},
        },
        4,
    )
    assert (found["cat"].value, found["cat"].count) == (pytest.approx((0.5 + 0 + 1) / 3), 3)
    assert (found["car"].value, found["car"].count) == (0.5, 1)
    assert math.isnan(found["hat"].value)
    assert found["hat"].count == 0


@given(first=TOPS, second=TOPS, third=TOPS)
def test_more_concepts_never_share_less(
    ranking: Callable[..., Neurons], first: list[int], second: list[int], third: list[int]
) -> None:
    two = {"a": ranking(*first), "b": ranking(*second)}
    few, many = sharing({"p": two}, 3), sharing({"p": {**two, "c": ranking(*third)}}, 3)
    assert few["a"].value == few["b"].value == pytest.approx(len(set(first) & set(second)) / 3)
    assert all(many[name].value >= few[name].value for name in few)
