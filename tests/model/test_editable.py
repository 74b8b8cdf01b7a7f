"""What can be asked of an opened model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from editkit.errors import UsageError
from editkit.model.editable import Editable
from editkit.neuron import Neuron


@pytest.mark.parametrize("layer", [-1, 3])
def test_a_layer_it_does_not_have(llama: Editable, layer: int) -> None:
    with pytest.raises(UsageError, match="has layers 0 to 2"):
        llama.w_out(layer)


@pytest.mark.parametrize("name", ["L0.N48", "L0.E0.N1", "L3.N0"])
def test_a_neuron_it_does_not_have(llama: Editable, name: str) -> None:
    with pytest.raises(UsageError):
        llama.check(Neuron.parse(name))


def test_the_last_neuron_is_there(llama: Editable) -> None:
    llama.check(Neuron(2, 47))


def test_row_norms_are_those_of_the_matrix_a_neuron_writes_with(tiny: Callable[..., Editable]) -> None:
    linear, conv1d = tiny("llama"), tiny("gpt2")
    stored = linear.model.model.layers[1].mlp.down_proj.weight
    assert torch.allclose(linear.row_norms(1), stored.pow(2).sum(0).sqrt())
    stored = conv1d.model.transformer.h[1].mlp.c_proj.weight
    assert torch.allclose(conv1d.row_norms(1), stored.pow(2).sum(1).sqrt())


def test_decoded_are_the_tokens_a_row_pushes_most(any_model: Editable) -> None:
    row = any_model.w_out(2).rows[5]
    pushes = [float(row @ direction) for direction in any_model.unembedding]
    best = sorted(range(len(pushes)), key=lambda token: -pushes[token])[:3]
    assert any_model.decoded([Neuron(2, 5)], 3) == (tuple(any_model.tokenizer.decode([t]) for t in best),)


def test_only_llava_sees_and_chats(tiny: Callable[..., Editable]) -> None:
    seen = {
        family: (tiny(family).accepts_images, tiny(family).has_chat_template)
        for family in ("llama", "gpt2", "llava")
    }
    assert seen == {"llama": (False, False), "gpt2": (False, False), "llava": (True, True)}


def test_sizes(any_model: Editable) -> None:
    assert any_model.unembedding.shape == (len(any_model.tokenizer), 32)
    assert any_model.context_length == 128
    assert not any_model.model.training
    assert not any(weight.requires_grad for weight in any_model.model.parameters())
