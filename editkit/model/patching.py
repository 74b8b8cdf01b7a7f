"""Put a patch into a loaded model, for a block or for good, and take it out again bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from editkit.errors import PatchError
from editkit.model.layouts import neurons_are_rows
from editkit.model.weights import held
from editkit.patch.file import Patch
from editkit.patch.format import Entry
from editkit.patch.rows import widen


def _rows(model: nn.Module, entry: Entry) -> Tensor:
    """The W_out an entry speaks of, neuron-major: a view of the model's own weight.

    How the running model stores it is asked of the module, not of the entry: files may have it turned.
    """
    try:
        if entry.expert is None:
            module = model.get_submodule(entry.module)
            weight = held(module).detach()
        else:
            module = model.get_submodule(entry.module.rpartition(".")[0])
            weight = held(module, entry.module.rpartition(".")[2]).detach()[entry.expert]
    except (AttributeError, IndexError) as error:
        raise PatchError(
            f"the model has no module {entry.module}: the patch is for {entry.shape} weights"
        ) from error
    rows = weight if neurons_are_rows(module) else weight.T
    if tuple(rows.shape) != entry.sides:
        raise PatchError(
            f"{entry.module} is {tuple(rows.shape)} in the model and {entry.sides} in the patch "
            "(neurons x model width)"
        )
    return rows


def _values(entry: Entry, bits: NDArray[Any], like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(widen(bits, entry.dtype))).to(like)


def _swap(model: nn.Module, patch: Patch, *, forwards: bool) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Check every entry, then write them all; returns (weight view, neurons, rows before) to put back."""
    planned = []
    for entry in patch.entries:
        rows = _rows(model, entry)
        neurons = torch.from_numpy(np.array(entry.neurons)).to(rows.device)
        original, edited = _values(entry, entry.original, rows), _values(entry, entry.edited, rows)
        expected, wanted = (original, edited) if forwards else (edited, original)
        now = rows[neurons]
        if not torch.equal(now, expected):
            what = "not what the patch was made on" if forwards else "not what this patch wrote"
            other = (
                "it is applied already"
                if torch.equal(now, wanted)
                else "another model, or another patch on it"
            )
            raise PatchError(f"{entry.module}: the rows in the model are {what}: {other}")
        planned.append((rows, neurons, now.clone(), wanted))
    for rows, neurons, _, wanted in planned:
        rows[neurons] = wanted
    return [(rows, neurons, now) for rows, neurons, now, _ in planned]


def write_patch(model: nn.Module, patch: Patch) -> None:
    """Write a patch into a model for good; `save_pretrained` then gives a merged checkpoint.

    Raises:
        PatchError: another model, or the patch is applied already; nothing is written then.
    """
    _swap(model, patch, forwards=True)


def undo_patch(model: nn.Module, patch: Patch) -> None:
    """Take a written patch out again: the original rows come back bit for bit.

    Raises:
        PatchError: the rows in the model are not the patch's; nothing is written then.
    """
    _swap(model, patch, forwards=False)


@contextmanager
def patched(model: nn.Module, patch: Patch) -> Iterator[None]:
    """The model with a patch, for the time of a block; afterwards every weight is bit-identical.

    Raises:
        PatchError: see `write_patch`.
    """
    before = _swap(model, patch, forwards=True)
    try:
        yield
    finally:
        for rows, neurons, now in before:
            rows[neurons] = now
