"""A patch goes in, and comes out again bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from editkit.errors import PatchError
from editkit.model.editable import Editable
from editkit.model.patching import patched, undo_patch, write_patch
from editkit.patch.file import Patch

FAMILIES, DTYPES = ("llama", "gpt2", "llava"), ("float32", "bfloat16", "float16")
BITS = {torch.float32: torch.int32, torch.bfloat16: torch.int16, torch.float16: torch.int16}


def bits(editable: Editable) -> dict[str, torch.Tensor]:
    """Every weight as integers: equal bits, not equal numbers."""
    return {
        name: weight.detach().clone().view(BITS[weight.dtype])
        for name, weight in editable.model.named_parameters()
    }


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


class Boom(Exception):
    pass


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("family", FAMILIES)
def test_written_then_undone_is_the_identity_on_bits(
    tiny: Callable[..., Editable],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    family: str,
    dtype: str,
) -> None:
    editable = tiny(family, dtype)
    before = bits(editable)
    patch = patch_of(editable, random_rows(editable, 3))
    write_patch(editable.model, patch)
    try:
        assert not same(before, bits(editable))
    finally:
        undo_patch(editable.model, patch)
    assert same(before, bits(editable))


@given(seed=st.integers(0, 2**31), fails=st.booleans(), count=st.integers(1, 40))
@settings(max_examples=15)
def test_patched_gives_every_bit_back(
    any_model: Editable,
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    seed: int,
    fails: bool,
    count: int,
) -> None:
    before = bits(any_model)
    with (
        suppress(Boom),
        patched(any_model.model, patch_of(any_model, random_rows(any_model, seed, None, count))),
    ):
        assert not same(before, bits(any_model))
        if fails:
            raise Boom
    assert same(before, bits(any_model))


@given(seed=st.integers(0, 2**31))
@settings(max_examples=10)
def test_only_listed_neurons_move(
    any_model: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch], seed: int
) -> None:
    before, rows = bits(any_model), random_rows(any_model, seed, [0, 2])
    with patched(any_model.model, patch_of(any_model, rows)):
        moved = bits(any_model)
        assert {name for name in before if not torch.equal(before[name], moved[name])} == {
            f"{any_model.w_out(layer).name}.weight" for layer in (0, 2)
        }
        for key, (neurons, _) in rows.items():
            place = any_model.w_out(*key)
            old, new = (some[f"{place.name}.weight"] for some in (before, moved))
            axis = 1 if place.as_rows else 0
            assert (old != new).any(axis).nonzero().flatten().tolist() == neurons.tolist()


def test_a_zero_delta_makes_an_empty_patch_that_changes_nothing(
    any_model: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch]
) -> None:
    before = bits(any_model)
    nothing = {key: (neurons, delta * 0) for key, (neurons, delta) in random_rows(any_model, 0).items()}
    patch = patch_of(any_model, nothing)
    assert patch.neurons() == ()
    with patched(any_model.model, patch):
        assert same(before, bits(any_model))


def test_another_model_is_refused_and_left_alone(
    tiny: Callable[..., Editable], random_rows: Callable[..., Any], patch_of: Callable[..., Patch]
) -> None:
    llama, gpt2 = tiny("llama"), tiny("gpt2")
    patch = patch_of(llama, random_rows(llama, 0))
    before = bits(gpt2)
    with pytest.raises(PatchError, match="no module"):
        write_patch(gpt2.model, patch)
    assert same(before, bits(gpt2))


def test_other_weights_of_the_same_shape_are_refused_and_left_alone(
    llama: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch]
) -> None:
    first, second = (patch_of(llama, random_rows(llama, seed, [0, 1, 2], 48)) for seed in (0, 1))
    before = bits(llama)
    with patched(llama.model, first):
        between = bits(llama)
        with pytest.raises(PatchError, match="another model, or another patch"):
            write_patch(llama.model, second)
        with pytest.raises(PatchError, match="not what this patch wrote"):
            undo_patch(llama.model, second)
        with pytest.raises(PatchError, match="applied already"):
            write_patch(llama.model, first)
        assert same(between, bits(llama))
    with pytest.raises(PatchError, match="not what this patch wrote"):
        undo_patch(llama.model, first)
    assert same(before, bits(llama))


def test_a_patch_that_fits_in_part_writes_nothing(
    llama: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch]
) -> None:
    whole = patch_of(llama, random_rows(llama, 4))
    with patched(llama.model, patch_of(llama, {(2, None): random_rows(llama, 4)[2, None]})):
        between = bits(llama)
        with pytest.raises(PatchError):
            write_patch(llama.model, whole)
        assert same(between, bits(llama))


def test_patches_of_a_float16_file_fit_the_same_model_loaded_in_float32(
    tiny: Callable[..., Editable],
    tiny_checkpoint: Callable[..., Any],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
) -> None:
    from editkit.model.open import open_model
    from editkit.recipe import ModelRef

    stored = tiny("llama", "float16")
    wide = open_model(ModelRef(id=str(tiny_checkpoint("llama", "float16")), dtype="float32"))
    before = bits(wide)
    with patched(wide.model, patch_of(stored, random_rows(stored, 5))):
        assert wide.model.dtype == torch.float32
        assert not same(before, bits(wide))
    assert same(before, bits(wide))
