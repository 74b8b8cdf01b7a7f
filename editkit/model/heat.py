"""What neurons emit at the tokens of a picture."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from editkit.heat import Heat
from editkit.model.editable import Editable
from editkit.model.feed import Fed, batches, feed
from editkit.model.forward import call_inputs
from editkit.model.hooks import Spots, recording
from editkit.model.sight import PicturePlace, picture_places
from editkit.neuron import MatrixKey, Neuron
from editkit.plan import Question

ENCODED: Final = "read by an encoder: the neurons of the decoder never meet them"


def heat(editable: Editable, question: Question, neurons: Sequence[Neuron]) -> tuple[Heat, ...]:
    """One `Heat` for each picture of a question; see `heats`."""
    return heats(editable, [question], neurons)[0]


@torch.no_grad()
def heats(
    editable: Editable, questions: Sequence[Question], neurons: Sequence[Neuron], batch_size: int = 16
) -> list[tuple[Heat, ...]]:
    """What neurons emit at the pictures' tokens, for each question and each of its pictures.

    Activations are the inputs of W_out (of a routed expert times the weight it was chosen with, 0 at tokens
    that were sent elsewhere). Where a picture is there several times, whole and in pieces, it is the whole.

    Raises:
        UsageError: the model has no such neuron.
        InputError, ModelError: see `feed` and `picture_places`.
    """
    for neuron in neurons:
        editable.check(neuron)
    found: list[tuple[Heat, ...]] = [()] * len(questions)
    for chunk in batches(questions, batch_size):
        fed = feed(editable, [questions[place] for place in chunk])
        places = picture_places(editable, fed)
        columns = [[looked_at(editable, one) for one in own] for own in places]
        lengths = [len(one) for own in columns for one in own]
        parts = iter(_emitted(editable, fed, columns, neurons).split(lengths, dim=1))
        for place, own in zip(chunk, places, strict=True):
            found[place] = tuple(heat_of(editable, tuple(neurons), one, next(parts)) for one in own)
    return found


def looked_at(editable: Editable, place: PicturePlace) -> Tensor:
    """Positions of a picture's tokens in the sequence the neurons work on: of its grid, where it has one."""
    if editable.encoder_decoder:
        return place.columns[:0]
    return place.columns if place.grid is None else place.view


def _emitted(
    editable: Editable, fed: Fed, columns: Sequence[Sequence[Tensor]], neurons: Sequence[Neuron]
) -> Tensor:
    """Activations at all columns of a batch, one picture behind the other, float32 `[n_neurons, n_spots]`."""
    flat = torch.cat([one for own in columns for one in own] or [torch.zeros(0, dtype=torch.int64)])
    values = torch.zeros(len(neurons), len(flat))
    if not values.numel():
        return values
    rows = torch.cat([torch.full_like(one, row) for row, own in enumerate(columns) for one in own])
    wanted: dict[MatrixKey, list[int]] = {}
    for at, neuron in enumerate(neurons):
        wanted.setdefault(neuron.matrix, []).append(at)

    def keep(key: MatrixKey, activations: Tensor) -> None:
        own = [neurons[at].index for at in wanted[key]]
        values[wanted[key]] = activations[:, own].float().cpu().T

    with recording(editable, keep, list(wanted), Spots(rows, flat)):
        editable.model(**few_logits(editable, fed))
    return values


def few_logits(editable: Editable, fed: Fed) -> dict[str, Any]:
    """What forward takes, told to spare itself the logits where it can: nobody reads them."""
    inputs = call_inputs(editable, fed)
    if "logits_to_keep" in inspect.signature(type(editable.model).forward).parameters:
        inputs["logits_to_keep"] = 1
    return inputs


def heat_of(editable: Editable, neurons: tuple[Neuron, ...], place: PicturePlace, values: Tensor) -> Heat:
    """Values at the tokens that are looked at, float32 `[n_neurons, n_tokens]`, as a `Heat`."""
    if editable.encoder_decoder:
        return Heat(neurons, values.numpy(), None, place.area, ENCODED)
    grid = place.grid
    shaped = values if grid is None else values.unflatten(1, grid)
    return Heat(neurons, shaped.numpy().copy(), grid, place.area, place.note)
