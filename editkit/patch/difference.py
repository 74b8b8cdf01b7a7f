"""Two patches side by side: which neurons each changes, how far, and in which direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from editkit.checkpoint import Bits
from editkit.neuron import Neuron, in_order
from editkit.patch.file import Patch
from editkit.patch.format import Base
from editkit.patch.rows import widen

Which = Literal["only in the first", "only in the second", "the same", "other rows"]
WAYS: Final[tuple[Which, ...]] = ("only in the first", "only in the second", "the same", "other rows")


@dataclass(frozen=True)
class NeuronPair:
    """One neuron: lengths of its change in either patch, and the cosine of both where both change it."""

    neuron: Neuron
    which: Which
    first: float | None
    second: float | None
    cosine: float | None


@dataclass(frozen=True)
class Layer:
    """All neurons of one layer: how many of each kind, lengths of the changes, cosine of both."""

    layer: int
    counts: Mapping[Which, int]
    first: float
    second: float
    cosine: float | None


@dataclass(frozen=True)
class PatchDifference:
    """What tells two patches apart.

    Attributes:
        same_file: whether their bytes are the same, where they came from included.
        base: fields of the base that differ.
        neurons: every neuron that one of them changes, by layer, expert and index.
    """

    same_file: bool
    base: tuple[str, ...]
    neurons: tuple[NeuronPair, ...]
    layers: tuple[Layer, ...]

    @property
    def equal(self) -> bool:
        """Whether they make the same change of the same base."""
        return not self.base and all(pair.which == "the same" for pair in self.neurons)


@dataclass(frozen=True, eq=False)
class _Row:
    """One row that moves: where it stands, its bits before and after, and its change."""

    place: tuple[str, str, int | None]
    original: Bits
    edited: Bits
    change: NDArray[np.float64]

    def same(self, other: _Row) -> bool:
        pairs = ((self.original, other.original), (self.edited, other.edited))
        return self.place == other.place and all(np.array_equal(*pair) for pair in pairs)


def compared(first: Patch, second: Patch) -> PatchDifference:
    """Neuron by neuron; in float64, so that rows as large as a dtype allows don't overflow.

    Rows that a patch leaves as they are don't count.
    """
    one, other = _rows(first), _rows(second)
    pairs, layers = [], []
    order = sorted(one.keys() | other.keys(), key=lambda neuron: (in_order(neuron.matrix), neuron.index))
    for layer, neurons in groupby(order, key=lambda neuron: neuron.layer):
        own = list(neurons)
        found = [_pair(neuron, one.get(neuron), other.get(neuron)) for neuron in own]
        counts = {way: sum(pair.which == way for pair in found) for way in WAYS}
        lengths = [_length([rows[n].change for n in own if n in rows]) for rows in (one, other)]
        dot = sum(_dot(one[neuron], other[neuron]) for neuron in own if neuron in one and neuron in other)
        layers.append(Layer(layer, counts, lengths[0], lengths[1], _ratio(dot, lengths[0] * lengths[1])))
        pairs += found
    base = tuple(
        field.name
        for field in fields(Base)
        if getattr(first.base, field.name) != getattr(second.base, field.name)
    )
    return PatchDifference(first == second, base, tuple(pairs), tuple(layers))


def _rows(patch: Patch) -> dict[Neuron, _Row]:
    found = {}
    for entry in patch.entries:
        place = (entry.tensor, entry.dtype, entry.slab)
        before, after = (
            widen(bits, entry.dtype).astype(np.float64) for bits in (entry.original, entry.edited)
        )
        for at in np.flatnonzero((entry.original != entry.edited).any(axis=1)).tolist():
            neuron = Neuron(entry.layer, int(entry.neurons[at]), entry.expert)
            found[neuron] = _Row(place, entry.original[at], entry.edited[at], after[at] - before[at])
    return found


def _pair(neuron: Neuron, one: _Row | None, other: _Row | None) -> NeuronPair:
    lengths = [None if row is None else _length([row.change]) for row in (one, other)]
    if one is None or other is None:
        return NeuronPair(neuron, WAYS[0] if other is None else WAYS[1], lengths[0], lengths[1], None)
    cosine = _ratio(_dot(one, other), _length([one.change]) * _length([other.change]))
    return NeuronPair(neuron, WAYS[2] if one.same(other) else WAYS[3], lengths[0], lengths[1], cosine)


def _dot(one: _Row, other: _Row) -> float:
    """0 where the rows are of models of other widths."""
    return float(one.change @ other.change) if one.change.shape == other.change.shape else 0.0


def _length(changes: list[NDArray[np.float64]]) -> float:
    return float(np.sqrt(sum(float(change @ change) for change in changes)))


def _ratio(dot: float, lengths: float) -> float | None:
    return float(np.clip(dot / lengths, -1.0, 1.0)) if lengths else None
