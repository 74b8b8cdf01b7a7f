"""What a picture's tokens give to neurons where a word is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from editkit.heat import Heat
from editkit.model.editable import Editable
from editkit.model.feed import batches, feed
from editkit.model.heat import few_logits, heat_of, looked_at
from editkit.model.hooks import Spots, hidden_of, recording
from editkit.model.sight import picture_places
from editkit.neuron import MatrixKey, Neuron
from editkit.plan import Question


def seen(
    editable: Editable,
    questions: Sequence[Question],
    said: Sequence[Sequence[int]],
    neurons: Sequence[Neuron],
    batch_size: int = 16,
) -> list[tuple[Heat, ...]]:
    """How much of what neurons emit behind `said` comes from each token of each picture.

    `sign(o) * (x . do/dx)`, where o is the activation at the last position (what comes next is the word) and
    x what enters the first layer at the picture's token: gradient times input, to first order the token's
    share of |o|. Ours: neurons that push a word do so where it is said, and may mean something else, or
    nothing, at the picture's own tokens. It tells more of where the model looks to say the word than of one
    neuron: other neurons look there too, so random ones belong beside it. One backward pass a neuron.

    Args:
        said: what was said before the word, in tokens, for each question.

    Raises:
        UsageError: the model has no such neuron.
        InputError, ModelError: see `feed` and `picture_places`.
    """
    for neuron in neurons:
        editable.check(neuron)
    found: list[tuple[Heat, ...]] = [()] * len(questions)
    for chunk in batches(questions, batch_size):
        fed = feed(editable, [questions[place] for place in chunk], [said[place] for place in chunk])
        places = picture_places(editable, fed)
        rows = torch.arange(len(chunk))
        spots = Spots(rows, fed.n_prompt - 1 + torch.tensor(fed.lengths))
        given = torch.zeros(len(neurons), *fed.inputs["input_ids"].shape)
        if any(len(looked_at(editable, one)) for own in places for one in own):
            given = _given(editable, few_logits(editable, fed), spots, neurons)
        for row, (place, own) in enumerate(zip(chunk, places, strict=True)):
            found[place] = tuple(
                heat_of(editable, tuple(neurons), one, given[:, row, looked_at(editable, one)]) for one in own
            )
    return found


def _given(editable: Editable, inputs: dict[str, Any], spots: Spots, neurons: Sequence[Neuron]) -> Tensor:
    """What each position gives to each neuron at its row's spot, float32 `[n_neurons, n, n_tokens]`."""
    emitted: dict[MatrixKey, Tensor] = {}

    def keep(key: MatrixKey, activations: Tensor) -> None:
        emitted[key] = activations

    keys = list(dict.fromkeys(neuron.matrix for neuron in neurons))
    with _from_the_first_layer(editable) as entered, recording(editable, keep, keys, spots, attached=True):
        editable.model(**inputs)
    (entering,) = entered
    found = torch.zeros(len(neurons), *entering.shape[:2])
    for at, neuron in enumerate(neurons):
        if neuron.matrix in emitted:
            own = emitted[neuron.matrix][:, neuron.index]
            (grad,) = torch.autograd.grad((own * own.detach().sign()).sum(), entering, retain_graph=True)
            found[at] = (grad.float() * entering.detach().float()).sum(-1).cpu()
    return found


@contextmanager
def _from_the_first_layer(editable: Editable) -> Iterator[list[Tensor]]:
    """Run with gradients from what enters the first layer on, which the list will hold."""
    entered: list[Tensor] = []

    def enter(layer: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        leaf = hidden_of(arguments, named).detach().requires_grad_()
        entered.append(leaf)
        hidden = leaf.clone()  # some layers add to it in place
        if arguments:
            return (hidden, *arguments[1:]), named
        return arguments, {**named, "hidden_states": hidden}

    remover = editable.layers[0].register_forward_pre_hook(enter, with_kwargs=True)
    try:
        with torch.enable_grad():
            yield entered
    finally:
        remover.remove()
