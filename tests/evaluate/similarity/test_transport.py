"""Our solver against scipy's, which solve other formulations of the same problem."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment, linprog

from editkit.errors import InputError
from editkit.evaluate.similarity.transport import transport

Floats = NDArray[np.float64]


@st.composite
def problems(draw: st.DrawFn) -> tuple[Floats, Floats, Floats]:
    """Masses of one sum, some of them 0 or equal, and the distances of points, some of which coincide."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, m = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    supply, demand = (
        rng.integers(0, 4, size) + 0.0 if draw(st.booleans()) else np.ones(size) for size in (n, m)
    )
    supply[0] += 1.0
    demand[-1] += 1.0
    here, there = rng.integers(0, 3, (n, 3)) + 0.0, rng.integers(0, 3, (m, 3)) + rng.random() * 0.5
    costs = np.linalg.norm(here[:, None] - there[None], axis=-1)
    return supply / supply.sum(), demand / demand.sum(), costs


def by_linear_programme(supply: Floats, demand: Floats, costs: Floats) -> float:
    n, m = costs.shape
    leaves = np.kron(np.eye(n), np.ones(m))
    arrives = np.kron(np.ones(n), np.eye(m))
    whole, masses = np.vstack([leaves, arrives]), np.concatenate([supply, demand])
    found = linprog(costs.ravel(), A_eq=whole, b_eq=masses, method="highs")
    return float(found.fun)


@given(problems())
def test_it_is_the_optimum_of_the_linear_programme(problem: tuple[Floats, Floats, Floats]) -> None:
    assert transport(*problem) == pytest.approx(by_linear_programme(*problem), abs=1e-7)


@given(st.integers(1, 12), st.integers(0, 2**32))
def test_equal_masses_make_it_an_assignment(count: int, seed: int) -> None:
    costs = np.random.default_rng(seed).random((count, count))
    masses = np.full(count, 1 / count)
    best = costs[linear_sum_assignment(costs)].mean()
    assert transport(masses, masses, costs) == pytest.approx(best, abs=1e-12)


@given(problems())
def test_both_ways_cost_the_same(problem: tuple[Floats, Floats, Floats]) -> None:
    supply, demand, costs = problem
    assert transport(supply, demand, costs) == pytest.approx(transport(demand, supply, costs.T), abs=1e-10)


def test_the_way_that_is_near_at_first_is_given_up_for_one_that_is_cheaper_in_all() -> None:
    costs = np.array([[0.0, 1.0], [1.0, 10.0]])
    half = np.array([0.5, 0.5])
    assert transport(half, half, costs) == 1.0


@pytest.mark.parametrize(
    ("supply", "demand", "costs", "told"),
    [
        ([1.0], [1.0], [[1.0, 2.0]], "costs of shape"),
        ([], [1.0], [], "0 and 1 masses"),
        ([1.0], [0.5], [[1.0]], "of one sum"),
        ([2.0, -1.0], [1.0], [[1.0], [1.0]], "at least 0"),
        ([1.0], [1.0], [[-1.0]], "at least 0"),
    ],
)
def test_what_is_no_transport(
    supply: list[float], demand: list[float], costs: list[list[float]], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        transport(np.array(supply), np.array(demand), np.array(costs))
