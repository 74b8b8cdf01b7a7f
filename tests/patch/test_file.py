"""Saving and loading is the identity, bit for bit; version 1 loads for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from editkit.checkpoint.tensorfile import BITS
from editkit.neuron import Neuron
from editkit.patch.file import Patch
from editkit.patch.format import Contents, Entry
from editkit.patch.rows import finite, widen

GOLDEN = Path(__file__).parent / "golden" / "v1.editkit.safetensors"
GOLDEN_DIGEST = "2f83c2cf844715479175e66ea1228d1ae0e52afcdc6be3f15bd4c8b7a4ff55f8"


@pytest.mark.parametrize("dtype", BITS)
@given(data=st.data())
def test_save_then_load_is_the_identity(
    dtype: str,
    data: st.DataObject,
    patch: Patch,
    make_entry: Callable[..., Entry],
    from_bytes: Callable[[bytes], Contents],
    to_bytes: Callable[[Contents], bytes],
) -> None:
    neurons = tuple(sorted(data.draw(st.sets(st.integers(0, 7), min_size=1))))
    width = data.draw(st.integers(1, 9))
    bits = arrays(BITS[dtype], (len(neurons), width)).filter(lambda rows: finite(rows, dtype))
    entry = make_entry(data.draw(st.integers(0, 2**62)), dtype, neurons, width)
    entry = replace(entry, original=data.draw(bits), edited=data.draw(bits))
    score = data.draw(st.floats(allow_nan=False, allow_infinity=False))
    label = data.draw(st.text(st.characters(exclude_categories=["Cs"])))
    where = replace(patch.provenance, neuron_scores={"L0.N0": score}, edits=(label,))
    made = Patch(patch.base, (entry,), where)
    read = from_bytes(to_bytes(made))
    assert to_bytes(read) == to_bytes(made)
    assert read.provenance == where
    for name in ("neurons", "original", "edited"):
        before, after = getattr(entry, name), getattr(read.entries[0], name)
        assert before.dtype == after.dtype
        assert before.tobytes() == after.tobytes()


def test_a_file_goes_round(patch: Patch, tmp_path: Path) -> None:
    patch.save(tmp_path / "x.editkit.safetensors")
    again = Patch.load(str(tmp_path / "x.editkit.safetensors"))
    assert again == patch
    assert hash(again) == hash(patch)
    assert again.digest == sha256((tmp_path / "x.editkit.safetensors").read_bytes()).hexdigest()
    assert again != replace(patch, entries=patch.entries[:1])
    assert again != "a patch"


def test_equal_patches_are_equal_files(patch: Patch, tmp_path: Path) -> None:
    patch.save(tmp_path / "one")
    replace(patch).save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_its_neurons_have_names(patch: Patch) -> None:
    assert [str(neuron) for neuron in patch.neurons()] == ["L0.N1", "L0.N4", "L1.N5", "L2.E3.N0", "L2.E3.N7"]


def test_its_delta_leads_from_original_to_edited(patch: Patch) -> None:
    delta = patch.to_delta()
    assert delta.neurons() == patch.neurons()
    for part, entry in zip(delta.layers, patch.entries, strict=True):
        original = widen(entry.original, entry.dtype)
        assert np.allclose(original + part.rows, widen(entry.edited, entry.dtype), rtol=0, atol=1e-6)
        assert np.abs(part.rows).max() > 0.1


def test_version_1_loads_for_ever(to_bytes: Callable[[Contents], bytes]) -> None:
    content = GOLDEN.read_bytes()
    golden = Patch.load(GOLDEN)
    assert sha256(content).hexdigest() == GOLDEN_DIGEST == golden.digest
    assert to_bytes(golden) == content
    assert golden.base.id == "demo/scenes"
    assert golden.provenance.seed == 7
    assert golden.neurons()[3] == Neuron(2, 0, 3)
    assert [entry.dtype for entry in golden.entries] == ["BF16", "F16", "F32"]
    assert golden.entries[0].original.tolist() == [[0x3F80, 0xC000, 0x0001], [0x8000, 0x7F7F, 0x3E80]]
    assert widen(golden.entries[2].edited, "F32").tolist() == [[0.5, 0.25, -1.5], [0.0, 2.0, 3.0]]
    assert np.array_equal(golden.entries[1].neurons, [5])
