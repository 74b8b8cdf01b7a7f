from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import UsageError
from editkit.evaluate.neurons.overlap import overlap, overlaps
from editkit.neuron import Neurons

INDICES = st.lists(st.integers(0, 12), unique=True, max_size=10)


def test_the_shared_share_of_two_tops(ranking: Callable[..., Neurons]) -> None:
    one, other = ranking(1, 2, 3, 4, 5, 6), ranking(9, 3, 1, 8, 6, 5)
    assert overlap(one, other, 1) == 0.0
    assert overlap(one, other, 3) == pytest.approx(2 / 3)
    assert overlap(one, other, 4) == pytest.approx(2 / 4)
    assert overlap(one, other, 6) == pytest.approx(4 / 6)


def test_a_shorter_ranking_is_measured_by_the_longer(ranking: Callable[..., Neurons]) -> None:
    assert overlap(ranking(1, 2), ranking(2, 3, 4, 5), 4) == 0.25
    assert overlap(ranking(1, 2), ranking(2, 1), 8) == 1.0
    assert overlap(ranking(), ranking(2), 4) == overlap(ranking(), ranking(), 4) == 0.0


@given(first=INDICES, second=INDICES, k=st.integers(1, 12))
def test_it_is_symmetric_within_bounds_and_one_with_itself(
    ranking: Callable[..., Neurons], first: list[int], second: list[int], k: int
) -> None:
    one, other = ranking(*first), ranking(*second)
    assert overlap(one, other, k) == overlap(other, one, k)
    assert 0.0 <= overlap(one, other, k) <= 1.0
    assert overlap(one, one, k) == float(bool(first))


def test_the_matrix_holds_every_pair(ranking: Callable[..., Neurons]) -> None:
    some = {"a": ranking(1, 2), "b": ranking(2, 3), "c": ranking(7, 8)}
    found = overlaps(some, 2)
    assert found.names == ("a", "b", "c")
    assert found.shares == ((1.0, 0.5, 0.0), (0.5, 1.0, 0.0), (0.0, 0.0, 1.0))
    assert found.of("b", "a") == 0.5


def test_no_neurons_have_no_overlap(ranking: Callable[..., Neurons]) -> None:
    with pytest.raises(UsageError, match="k is 1 or more"):
        overlap(ranking(1), ranking(1), 0)
