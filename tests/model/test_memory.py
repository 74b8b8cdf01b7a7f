"""The estimate of what `apply` needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editkit.model.editable import Editable
from editkit.model.memory import Load, needed
from editkit.model.outline import outline
from editkit.recipe import ModelRef

LOAD = Load(prompt=100, answer=20, asked=8, solved=4, sorts=2, cases=40, lowest=0)


def test_it_is_the_same_with_and_without_weights(any_model: Editable) -> None:
    laid = outline(ModelRef(id=str(any_model.folder))).editable
    assert needed(laid, LOAD) == needed(any_model, LOAD)


def test_weights_count_in_the_dtype_they_are_loaded_in(llama: Editable) -> None:
    parameters = sum(parameter.numel() for parameter in llama.model.parameters())
    sizes = {
        dtype: needed(outline(ModelRef(id=str(llama.folder), dtype=dtype)).editable, LOAD).weights  # type: ignore[arg-type]  # one of the dtypes
        for dtype in ("float32", "bfloat16")
    }
    assert sizes["float32"] == pytest.approx(4 * parameters, rel=0.01)
    assert sizes["bfloat16"] == pytest.approx(2 * parameters, rel=0.01)


def test_packed_weights_take_less(llama: Editable) -> None:
    packed = [replace(LOAD, packed=how) for how in (None, "8bit", "4bit")]
    whole, small, smaller = (needed(llama, load).weights for load in packed)
    own = sum(p.numel() for n, p in llama.model.named_parameters() if ".layers." in n and p.dim() == 2)
    assert whole - small == 3 * own, "a byte of four stays; embeddings, norms and head are not packed"
    assert smaller < small


@pytest.mark.parametrize("more", [{"asked": 16}, {"prompt": 200}, {"answer": 40}])
def test_answering_grows_with_what_is_asked(llama: Editable, more: dict[str, int]) -> None:
    assert needed(llama, replace(LOAD, **more)).answering > needed(llama, LOAD).answering


@pytest.mark.parametrize("more", [{"solved": 8}, {"cases": 80}, {"sorts": 3}, {"prompt": 200}])
def test_solving_grows_with_cases_and_with_the_layers_above(llama: Editable, more: dict[str, int]) -> None:
    assert needed(llama, replace(LOAD, **more)).solving > needed(llama, LOAD).solving
    assert needed(llama, replace(LOAD, lowest=2)).solving < needed(llama, LOAD).solving


def test_only_one_of_both_is_done_at_a_time(llama: Editable) -> None:
    found = needed(llama, LOAD)
    assert found.total == found.weights + max(found.answering, found.solving)
