"""Where W_out is, in each family, and in models nobody has seen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.layouts import Matrix, layout, neurons_are_rows


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
    assert {tuple(place.rows.shape) for place in found} == {place.shape for place in found} == {shape}
    assert [place.as_rows for place in found] == [family == "gpt2"] * 3
    assert not tiny(family).layout.guessed


def test_rows_are_a_view_of_the_weight_itself(any_model: Editable) -> None:
    place = any_model.w_out(1)
    assert place.rows.data_ptr() == place.module.get_parameter("weight").data_ptr()


def test_an_unknown_type_of_matrix_is_refused_whatever_its_shape() -> None:
    with pytest.raises(ModelError, match=r"Bilinear.*orientation"):
        neurons_are_rows(nn.Bilinear(2, 2, 2))


class Block(nn.Module):
    """A decoder layer with names of its own: attention back to 4, and 16 neurons."""

    def __init__(self, *others: int) -> None:
        super().__init__()
        self.mix = nn.Linear(4, 4)
        self.wide = nn.Linear(4, 16)
        self.back = nn.Linear(16, 4)
        for width in others:
            setattr(self, f"also_{width}", nn.Linear(width, 4))


class Odd(nn.Module):
    """A model with a vision tower whose layers are more, and wider."""

    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.visual = nn.Module()
        self.visual.blocks = nn.ModuleList([Block(32) for _ in range(5)])
        self.trunk = nn.ModuleList(blocks)


def test_unknown_names_are_found_by_their_shapes_and_marked_as_a_guess() -> None:
    found = layout(Odd(Block(), Block()))
    assert (found.name, found.guessed) == ("trunk", True)
    assert found.matrices == ((Matrix("back"),), (Matrix("back"),))
    assert found.template == "trunk.{}.back"


def test_what_the_user_confirms_is_no_guess() -> None:
    found = layout(Odd(Block(), Block()), "trunk.{}.back")
    assert not found.guessed
    assert found.matrices == ((Matrix("back"),), (Matrix("back"),))


def test_two_maps_of_the_same_width_are_not_chosen_between() -> None:
    with pytest.raises(
        ModelError, match=r"Odd: no decoder layers with an output matrix.*trunk.*model\.w_out"
    ):
        layout(Odd(Block(16), Block(16)))


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("trunks.{}.back", r"names no list of layers \(lists of modules seen: trunk\)"),
        ("trunk.0.back", "names no list of layers"),
        ("trunk.{}.down", r"layer 0 has no linear map 'down' \(linear maps seen: mix, wide, back\)"),
        ("trunk.{}.mix", r"'mix' leads from 4 to 4: W_out ends"),
        ("trunk.{}.wide", r"'wide' leads from 4 to 16: W_out ends"),
        ("visual.blocks.{}.back", "visual.blocks reads pictures or prompts"),
    ],
)
def test_a_wrong_template_is_refused_with_what_is_there(template: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        layout(Odd(Block(), Block()), template)


class Known(nn.Module):
    """A layer with the names of Phi, of another width than the language model's."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Module()
        self.mlp.fc2 = nn.Linear(4 * width, width)


class Seeing(nn.Module):
    """A model whose tower has a name that nobody has heard of, and more layers."""

    def __init__(self) -> None:
        super().__init__()
        self.eyes = nn.ModuleList([Known(6) for _ in range(5)])
        self.trunk = nn.ModuleList([Known(4) for _ in range(2)])


def test_of_two_stacks_the_config_tells_which_speaks() -> None:
    from transformers import LlamaConfig

    model = Seeing()
    assert layout(model).guessed, "without a config nobody knows"
    model.config = LlamaConfig(hidden_size=4, num_hidden_layers=2, num_attention_heads=1)
    found = layout(model)
    assert (found.name, found.guessed) == ("trunk", False)
    model.config = LlamaConfig(hidden_size=8, num_hidden_layers=9, num_attention_heads=1)
    assert layout(model).guessed


def test_experts_that_nobody_can_watch_are_refused() -> None:
    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down_proj = nn.Parameter(torch.zeros(2, 4, 8))

    class Mlp(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.experts = Experts()

    with pytest.raises(ModelError, match="Experts: experts that can't be watched one by one"):
        layout(Odd(Mlp()))
