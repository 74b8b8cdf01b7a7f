"""Neurons by chance, and the control that is matched to an edit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import SolveError
from editkit.events import Event, Noted, nobody
from editkit.locate.random import Random, matched
from editkit.model.editable import Editable
from editkit.neuron import Neuron, Neurons
from editkit.plan import EditPlan, PlannedEdit


def neurons(*items: Neuron) -> Neurons:
    return Neurons(items, (0.0,) * len(items), "contribution")


@given(
    chosen=st.lists(
        st.builds(Neuron, st.integers(0, 2), st.integers(0, 47)), min_size=1, max_size=8, unique=True
    ),
    seed=st.integers(0, 99),
)
def test_the_control_is_as_many_other_neurons_of_the_same_layers_and_norms(
    llama: Editable, chosen: list[Neuron], seed: int
) -> None:
    told: list[Event] = []
    control = matched(llama, neurons(*chosen), seed, told.append)
    assert not set(control.items) & set(chosen)
    assert {key: len(own) for key, own in control.by_matrix().items()} == {
        key: len(own) for key, own in neurons(*chosen).by_matrix().items()
    }
    for layer, _ in control.by_matrix() if not told else ():
        norms = llama.row_norms(layer)
        wanted = sorted(float(norms[n.index]) for n in chosen if n.layer == layer)
        got = sorted(float(norms[n.index]) for n in control if n.layer == layer)
        assert all(abs(a - b) <= 0.1001 * max(a, b) for a, b in zip(wanted, got, strict=True))
    assert matched(llama, neurons(*chosen), seed) == control


def test_seeds_give_other_controls(llama: Editable) -> None:
    some = neurons(Neuron(0, 1), Neuron(1, 2), Neuron(2, 3))
    assert len({matched(llama, some, seed).items for seed in range(6)}) > 1


def test_no_control_is_left_when_the_whole_layer_is_edited(llama: Editable) -> None:
    half = neurons(*(Neuron(1, index) for index in range(24)))
    assert len(matched(llama, half, 0)) == 24
    more = neurons(*(Neuron(1, index) for index in range(25)))
    with pytest.raises(SolveError, match=r"25 of the 48 neurons of layer 1 .* lower locate\.top"):
        matched(llama, more, 0)


def test_an_outlier_gets_the_nearest_neuron_and_a_note(
    llama: Editable, monkeypatch: pytest.MonkeyPatch
) -> None:
    norms = torch.tensor([1.0, 9.0, 5.0, 1.05, 1.2])
    monkeypatch.setattr(Editable, "row_norms", lambda self, layer, expert: norms)
    told: list[Event] = []
    assert matched(llama, neurons(Neuron(0, 1)), 0, told.append).items == (Neuron(0, 2),)
    assert [type(one) for one in told] == [Noted]
    assert "L0.N1" in str(told[0])
    assert matched(llama, neurons(Neuron(0, 0)), 0, told.append).items == (Neuron(0, 3),)
    assert len(told) == 1


def test_random_neurons_follow_the_seed_and_differ_between_edits(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    edits = (make_edit(llama.tokenizer, "gun"), make_edit(llama.tokenizer, "cup", number=1))
    plan = EditPlan(edits, (), 0)
    first, second = (Random(seed=3).locate(llama, plan, (0, 2), 6, nobody) for _ in range(2))
    assert first == second
    assert first[0].items != first[1].items
    assert first[0].items != Random(seed=4).locate(llama, plan, (0, 2), 6, nobody)[0].items
    assert {neuron.layer for part in first for neuron in part} <= {0, 2}
    assert len(Random().locate(llama, plan, (0, 1, 2), "all", nobody)[0]) == 3 * 48
