"""Optimal transport between two small sets of masses, exact: cheapest flow by successive cheapest paths."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from editkit.errors import InputError

Floats = NDArray[np.float64]
NOTHING: Final = 1e-12


def transport(supply: Floats, demand: Floats, costs: Floats) -> float:
    """The least cost of bringing all of `supply` to `demand`: the exact optimum, up to rounding.

    Args:
        supply: `[n]` masses of at least 0, `demand`: `[m]`, of the same sum.
        costs: `[n, m]` of at least 0: what it costs to bring a mass of 1 from here to there.

    Raises:
        InputError: shapes, signs or sums that do not fit.
    """
    if costs.shape != (len(supply), len(demand)) or not costs.size:
        raise InputError(
            f"transport: {len(supply)} and {len(demand)} masses, and costs of shape {costs.shape}"
        )
    if min(supply.min(), demand.min(), costs.min()) < 0 or not np.isclose(supply.sum(), demand.sum()):
        raise InputError("transport: masses and costs must be at least 0, and both sides' masses of one sum")
    flow = _flow(supply / supply.sum(), demand / demand.sum(), costs)
    return float((flow * costs).sum() * supply.sum())


def _flow(supply: Floats, demand: Floats, costs: Floats) -> Floats:
    """`[n, m]`: how much goes from where to where."""
    count = len(supply)
    left, wanted = supply.copy(), demand.copy()
    flow = np.zeros_like(costs)
    # Prices keep every reduced cost at least 0, and at 0 where something already goes: so each path that is
    # found is a cheapest one, and what goes is optimal after every step.
    prices = np.concatenate([np.zeros(count), costs.min(axis=0)])
    while left.sum() > NOTHING and wanted.sum() > NOTHING:
        arcs = np.full((len(prices), len(prices)), np.inf)
        arcs[:count, count:] = np.maximum(costs + prices[:count, None] - prices[count:], 0.0)
        arcs[count:, :count] = np.where(flow.T > 0, 0.0, np.inf)
        path, distances = _cheapest(arcs, left > 0, wanted > 0)
        prices += np.minimum(distances, distances[path[-1]])
        steps = list(pairwise(path))
        taken_back = [flow[there, here - count] for here, there in steps if here >= count]
        moved = min(left[path[0]], wanted[path[-1] - count], *taken_back)
        for here, there in steps:
            if here < count:
                flow[here, there - count] += moved
            else:
                flow[there, here - count] -= moved
        left[path[0]] -= moved
        wanted[path[-1] - count] -= moved
        for part in (left, wanted, flow):
            part[part < NOTHING] = 0.0
    return flow


def _cheapest(arcs: Floats, starts: NDArray[np.bool_], ends: NDArray[np.bool_]) -> tuple[list[int], Floats]:
    """The cheapest path from any start to any end (Dijkstra), and the costs to all nodes that are nearer."""
    count = len(starts)
    distances = np.full(len(arcs), np.inf)
    distances[:count][starts] = 0.0
    came = np.full(len(arcs), -1)
    open_ones = np.ones(len(arcs), dtype=np.bool_)
    while True:
        node = int(np.where(open_ones, distances, np.inf).argmin())
        if node >= count and ends[node - count]:
            break
        open_ones[node] = False
        through = distances[node] + arcs[node]
        nearer = open_ones & (through < distances)
        distances[nearer], came[nearer] = through[nearer], node
    path = [node]
    while came[path[-1]] >= 0:
        path.append(int(came[path[-1]]))
    return path[::-1], distances
