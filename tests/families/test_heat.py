"""Every family that sees has a heat for each picture: finite, and of the shape its tokens have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from editkit.model.editable import Editable
from editkit.model.heat import ENCODED, heats
from editkit.model.prompts import ONE_PICTURE
from editkit.model.seeing import seen
from editkit.neuron import Neuron
from tests.families import FAMILIES, Family
from tests.families.ask import of_several

pytestmark = pytest.mark.filterwarnings(
    # PaliGemma's processor hands torch's tensors to numpy in a way that numpy will drop.
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
SEEING = {name: family for name, family in FAMILIES.items() if family.images}
BESIDE = {"idefics", "mllama"}
QUERIES = {"instructblip_vicuna", "blip2_opt", "minigpt4"}


def some_of(editable: Editable) -> tuple[Neuron, ...]:
    """A neuron of each W_out."""
    return tuple(Neuron(place.layer, at % 3, place.expert) for at, place in enumerate(editable.w_outs))


@pytest.mark.parametrize("name", SEEING)
def test_heat_over_pictures_of_all_shapes(name: str, editable: Callable[[Family], Editable]) -> None:
    model = editable(FAMILIES[name])
    count = 1 if type(model.processor).__name__ in ONE_PICTURE else 2
    asked, neurons = of_several(count, chat=model.has_chat_template), some_of(model)
    found = heats(model, asked, neurons)
    given = seen(model, asked, [[20, 21], [22], []], neurons)
    assert [len(own) for own in found] == [len(own) for own in given] == [count] * 3
    for own in (*found, *given):
        for one in own:
            assert one.neurons == neurons
            assert np.isfinite(one.values).all()
            if name in BESIDE or model.encoder_decoder:
                assert (one.grid, one.values.shape) == (None, (len(neurons), 0))
                assert one.note == ENCODED or "cross-attention" in one.note
            elif name in QUERIES:
                assert one.grid is None
                assert one.values.shape == (len(neurons), one.values.shape[1])
                assert np.ptp(one.values) > 0
                assert "queries" in one.note
            else:
                assert one.values.shape == (len(neurons), *(one.grid or ()))
                assert np.ptp(one.values) > 0
    # Alone each input has the same, whatever was fed beside it.
    for own, one in zip(found, asked, strict=True):
        for batched, alone in zip(own, heats(model, [one], neurons)[0], strict=True):
            assert np.allclose(batched.values, alone.values, atol=1e-3)
