"""What the package says of its families is what they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.checkpoint import Checkpoint
from editkit.model.families import FILE, known
from editkit.model.names import file_places
from editkit.model.open import open_model
from editkit.model.outline import outline
from editkit.recipe import ModelRef
from tests.families import FAMILIES, Family
from tests.families.table import PAGE, checks, data, page

RENEW = "run `python -m tests.families.table`"


def test_the_file_that_ships_is_up_to_date(built: Callable[[Family], Path]) -> None:
    assert FILE.read_text(encoding="utf-8") == data(built), RENEW


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), RENEW


def test_it_says_how_each_was_checked() -> None:
    table = known()
    assert [family.name for family in table.families] == list(FAMILIES)
    assert list(table.checks) == checks()
    assert len(table.checks) >= 8
    assert all(family.checked.count("/") == 1 and family.places for family in table.families)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_laid_out_without_weights_it_is_the_model_that_is_loaded(
    family: Family, built: Callable[[Family], Path]
) -> None:
    ref = ModelRef(id=str(built(family)))
    laid, loaded = outline(ref), open_model(ref)
    stored = Checkpoint.open(loaded.folder).tensors
    assert laid.places == file_places(loaded.model, family.name, loaded.w_outs, stored)
    assert [(place.name, place.shape, place.as_rows) for place in laid.editable.w_outs] == [
        (place.name, place.shape, place.as_rows) for place in loaded.w_outs
    ]
    assert laid.parameters == sum(parameter.numel() for parameter in loaded.model.parameters())
    assert laid.editable.model.dtype == loaded.model.dtype
    assert laid.editable.context_length == loaded.context_length
    assert laid.editable.picture_tokens == loaded.picture_tokens
    tied = [
        model.get_output_embeddings().weight is model.get_input_embeddings().weight
        for model in (laid.editable.model, loaded.model)
    ]
    assert tied[0] == tied[1]
