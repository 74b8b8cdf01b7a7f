"""Two patches side by side: which neurons each changes, how far and in which direction."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.patch.algebra import inverted
from editkit.patch.difference import WAYS, compared
from editkit.patch.file import Patch
from editkit.patch.rows import widen
from tests.patch.tensors import Bases, Rows, drawn, dtypes, patch_of


def rows_of(patch: Patch) -> dict[str, tuple[bytes, np.ndarray]]:
    """neuron -> bits after, change in float64."""
    found = {}
    for entry in patch.entries:
        change = widen(entry.edited, entry.dtype).astype(np.float64) - widen(entry.original, entry.dtype)
        expert = "" if entry.expert is None else f"E{entry.expert}."
        for at, neuron in enumerate(entry.neurons.tolist()):
            found[f"L{entry.layer}.{expert}N{neuron}"] = entry.edited[at].tobytes(), change[at]
    return found


@given(rows=drawn(2, 3), dtype=dtypes)
def test_every_neuron_is_told_as_it_is(bases: Bases, rows: list[Rows], dtype: str) -> None:
    first, second = (patch_of(bases(dtype), own, seed) for seed, own in enumerate(rows))
    one, other = rows_of(first), rows_of(second)
    found = compared(first, second)
    assert [str(pair.neuron) for pair in found.neurons] == sorted(
        {*one, *other}, key=lambda name: [int(part[1:]) for part in name.split(".")]
    )
    for pair in found.neurons:
        name = str(pair.neuron)
        expected = {(True, False): WAYS[0], (False, True): WAYS[1]}.get((name in one, name in other))
        if expected is None:
            expected = WAYS[2] if one[name][0] == other[name][0] else WAYS[3]
            a, b = one[name][1], other[name][1]
            assert pair.cosine == pytest.approx(float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))
        else:
            assert pair.cosine is None
        assert pair.which == expected
        for side, length in ((one, pair.first), (other, pair.second)):
            assert length == (pytest.approx(float(np.linalg.norm(side[name][1]))) if name in side else None)
    assert found.equal == (sorted(one) == sorted(other) and all(one[n][0] == other[n][0] for n in one))


@given(rows=drawn(2, 3), dtype=dtypes)
def test_a_layer_is_the_sum_of_its_neurons(bases: Bases, rows: list[Rows], dtype: str) -> None:
    first, second = (patch_of(bases(dtype), own, seed) for seed, own in enumerate(rows))
    found = compared(first, second)
    assert [layer.layer for layer in found.layers] == sorted({pair.neuron.layer for pair in found.neurons})
    for layer in found.layers:
        own = [pair for pair in found.neurons if pair.neuron.layer == layer.layer]
        assert dict(layer.counts) == {way: sum(pair.which == way for pair in own) for way in WAYS}
        assert layer.first == pytest.approx(math.hypot(*(pair.first or 0.0 for pair in own)))
        assert layer.second == pytest.approx(math.hypot(*(pair.second or 0.0 for pair in own)))
        assert layer.cosine is None or -1 <= layer.cosine <= 1


@given(rows=drawn(2, 3), dtype=dtypes)
def test_the_other_way_round(bases: Bases, rows: list[Rows], dtype: str) -> None:
    first, second = (patch_of(bases(dtype), own, seed) for seed, own in enumerate(rows))
    found, turned = compared(first, second), compared(second, first)
    assert (found.equal, found.same_file, found.base) == (turned.equal, turned.same_file, turned.base)
    swapped = dict(zip(WAYS, (WAYS[1], WAYS[0], WAYS[2], WAYS[3]), strict=True))
    for pair, other in zip(found.neurons, turned.neurons, strict=True):
        assert (pair.neuron, swapped[pair.which]) == (other.neuron, other.which)
        assert (pair.first, pair.second, pair.cosine) == (other.second, other.first, other.cosine)


@given(rows=drawn(1, 9), dtype=dtypes, seed=st.integers(1, 9))
def test_what_it_says_of_itself_is_no_change(bases: Bases, rows: list[Rows], dtype: str, seed: int) -> None:
    made = patch_of(bases(dtype), rows[0])
    assert compared(made, made).same_file
    retold = compared(made, patch_of(bases(dtype), rows[0], seed))
    assert (retold.equal, retold.same_file) == (True, False)
    back = compared(made, inverted(made))
    assert all(pair.which == WAYS[3] and pair.cosine == pytest.approx(-1) for pair in back.neurons)
    assert back.equal == (not made.entries)


def test_rows_that_stay_do_not_count(bases: Bases) -> None:
    made = patch_of(bases("F32"), {((0, None), 1): 1, ((0, None), 4): 2})
    (entry,) = made.entries
    edited = entry.edited.copy()
    edited[1] = entry.original[1]
    idle = replace(made, entries=(replace(entry, edited=edited),))
    alone = patch_of(bases("F32"), {((0, None), 1): 1})
    assert compared(idle, alone).equal
    assert [str(pair.neuron) for pair in compared(idle, alone).neurons] == ["L0.N1"]


def test_another_model(bases: Bases) -> None:
    made = patch_of(bases("BF16"), {((1, None), 2): 1})
    other = replace(made, base=replace(made.base, id="org/other", revision="main"))
    found = compared(made, other)
    assert (found.base, found.equal) == (("id", "revision"), False)
    assert [pair.which for pair in found.neurons] == [WAYS[2]]
    # Bits alone don't tell a row: of another dtype they are other numbers; another tensor is another place.
    half = replace(made, entries=tuple(replace(entry, dtype="F16") for entry in made.entries))
    moved = replace(made, entries=tuple(replace(entry, tensor="elsewhere") for entry in made.entries))
    for strange in (half, moved):
        assert [pair.which for pair in compared(made, strange).neurons] == [WAYS[3]]


def test_models_of_other_widths_have_nothing_in_common(bases: Bases) -> None:
    made = patch_of(bases("F32"), {((1, None), 2): 1})
    (entry,) = made.entries
    wide = replace(
        entry,
        shape=(entry.shape[0], 6),
        original=np.tile(entry.original, (1, 2)),
        edited=np.tile(entry.edited, (1, 2)),
    )
    (pair,) = compared(made, replace(made, entries=(wide,))).neurons
    assert (pair.which, pair.cosine) == (WAYS[3], 0.0)


def test_rows_as_large_as_a_dtype_allows(bases: Bases) -> None:
    made = patch_of(bases("F32"), {((1, None), 2): 1})
    (entry,) = made.entries
    largest = np.full(entry.edited.shape, 0x7F7FFFFF, entry.edited.dtype)
    huge = replace(made, entries=(replace(entry, original=largest | 0x80000000, edited=largest),))
    (pair,) = compared(huge, huge).neurons
    assert pair.first == pytest.approx(2 * 3.4028235e38 * math.sqrt(largest.size))
    assert pair.cosine == pytest.approx(1)
