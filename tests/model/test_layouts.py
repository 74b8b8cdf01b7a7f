"""Where W_out is, in each family."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import nn

from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.layouts import decoder_layers, neurons_are_rows


@pytest.mark.parametrize(
    ("family", "name", "shape"),
    [
        ("llama", "model.layers.{}.mlp.down_proj", (48, 32)),
        ("gpt2", "transformer.h.{}.mlp.c_proj", (128, 32)),
        ("llava", "model.language_model.layers.{}.mlp.down_proj", (48, 32)),
    ],
)
def test_every_decoder_layer_has_its_w_out_and_no_vision_layer_does(
    tiny: Callable[..., Editable], family: str, name: str, shape: tuple[int, int]
) -> None:
    found = tiny(family).w_outs
    assert [place.name for place in found] == [name.format(layer) for layer in range(3)]
    assert {tuple(place.rows.shape) for place in found} == {shape}
    assert [place.as_rows for place in found] == [family == "gpt2"] * 3


def test_rows_are_a_view_of_the_weight_itself(any_model: Editable) -> None:
    place = any_model.w_out(1)
    assert place.rows.data_ptr() == place.module.get_parameter("weight").data_ptr()


def test_an_unknown_type_of_matrix_is_refused_whatever_its_shape() -> None:
    with pytest.raises(ModelError, match=r"Bilinear.*orientation"):
        neurons_are_rows(nn.Bilinear(2, 2, 2))


def test_a_model_without_known_layers_is_refused_with_what_was_seen() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([nn.Linear(2, 2)])

    with pytest.raises(ModelError, match=r"Odd: no decoder layers.*blocks"):
        decoder_layers(Odd())
