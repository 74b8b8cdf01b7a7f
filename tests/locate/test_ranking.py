"""Scores become rankings, rankings of several edits become one."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from editkit.locate.ranking import ranked, united
from editkit.neuron import MatrixKey, Neuron, Neurons, in_order

KEYS = st.tuples(st.integers(0, 5), st.sampled_from([None, 0, 1, 2]))
SCORES = st.dictionaries(KEYS, st.lists(st.integers(-3, 3), min_size=4, max_size=4), min_size=1, max_size=4)


@given(table=SCORES, top=st.integers(1, 30))
def test_the_highest_signed_scores_come_first_and_ties_go_down(
    table: dict[MatrixKey, list[int]], top: int
) -> None:
    found = ranked({key: torch.tensor(values).float() for key, values in table.items()}, top, "m")
    everything = sorted(
        (-value, *in_order(key), index) for key, values in table.items() for index, value in enumerate(values)
    )
    got = [(-score, *in_order(n.matrix), n.index) for n, score in zip(found.items, found.scores, strict=True)]
    assert got == everything[:top]


def test_all_means_all() -> None:
    assert len(ranked({(0, None): torch.zeros(7), (3, 1): torch.ones(5)}, "all", "m")) == 12


PART = st.dictionaries(
    st.builds(Neuron, st.integers(0, 2), st.integers(0, 3)), st.integers(-3, 3).map(float), max_size=6
)


@given(parts=st.lists(PART, min_size=1, max_size=3), data=st.data())
def test_a_shared_neuron_is_one_row_and_the_order_of_edits_does_not_matter(
    parts: list[dict[Neuron, float]], data: st.DataObject
) -> None:
    made = [Neurons(tuple(part), tuple(part.values()), "m") for part in parts]
    found = united(made)
    assert set(found.items) == {neuron for part in parts for neuron in part}
    for neuron, score in zip(found.items, found.scores, strict=True):
        assert score == max(part[neuron] for part in parts if neuron in part)
    assert united(data.draw(st.permutations(made))) == found
