"""A delta written into every family's rows for a block, experts and transposed ones too; and rows ablated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from editkit.delta import Delta, LayerDelta
from editkit.events import nobody
from editkit.model.changing import changed
from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities
from editkit.model.hooks import adding
from editkit.neuron import Neuron, Neurons
from editkit.plan import EditPlan
from editkit.solve.erase import Erase
from tests.families import FAMILIES, Family
from tests.families.ask import questions

pytestmark = pytest.mark.filterwarnings(
    # PaliGemma's processor hands torch's tensors to numpy in a way that numpy will drop.
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
SAID = ([20, 21, 22], [23], [])


@pytest.fixture(params=FAMILIES.values(), ids=FAMILIES)
def model(request: pytest.FixtureRequest, editable: Callable[[Family], Editable]) -> Editable:
    return editable(request.param)


def test_written_is_what_is_hooked_and_every_bit_comes_back(
    model: Editable, random_rows: Callable[..., Any]
) -> None:
    asked, rows = questions(model), random_rows(model, 1)
    delta = Delta(
        tuple(
            LayerDelta(layer, expert, tuple(neurons.tolist()), added.numpy())
            for (layer, expert), (neurons, added) in rows.items()
        )
    )
    weights = {name: weight.detach().clone() for name, weight in model.model.named_parameters()}
    with adding(model, rows):
        hooked = log_probabilities(model, asked, SAID)
    with changed(model, delta):
        written = log_probabilities(model, asked, SAID)
    for one, other in zip(hooked, written, strict=True):
        assert float((one - other).abs().max()) <= 1e-5 * max(1.0, float(other.abs().max()))
    for name, weight in model.model.named_parameters():
        assert torch.equal(weight.view(torch.int32), weights[name].view(torch.int32))


def test_an_ablated_row_is_zero(model: Editable) -> None:
    chosen = [Neuron(place.layer, 5, place.expert) for place in model.w_outs]
    neurons = Neurons(tuple(chosen), (0.0,) * len(chosen), "listed")
    delta = Erase().solve(model, EditPlan((), (), 0), neurons, seed=0, tell=nobody)
    with changed(model, delta):
        for place in model.w_outs:
            assert (place.rows.abs().sum(1) == 0).nonzero().flatten().tolist() == [5]
