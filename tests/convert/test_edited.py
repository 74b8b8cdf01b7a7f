"""A converted model is edited like any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.checkpoint import Checkpoint
from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.facts import facts
from editkit.model.feed import feed
from editkit.model.forward import call_inputs, log_probabilities
from editkit.model.generate import answers
from editkit.model.hooks import adding
from editkit.model.names import file_places
from editkit.model.open import open_model
from editkit.model.outline import outline
from editkit.model.patching import patched
from editkit.model.sight import picture_places
from editkit.patch.verify import verify
from editkit.recipe import ModelRef
from tests.families.ask import entering, of_several, questions


@pytest.fixture(scope="module", params=["minigpt4", "owl"])
def converted(request: pytest.FixtureRequest) -> Editable:
    folder = request.getfixturevalue(request.param)
    return open_model(ModelRef(id=str(folder), trust_remote_code=request.param == "owl"))


def test_w_out_is_known(converted: Editable) -> None:
    assert not converted.layout.guessed
    assert converted.layout.template.endswith("layers.{}.mlp.down_proj")
    assert {place.layer for place in converted.w_outs} == set(range(len(converted.layers)))
    assert "visual" not in converted.layout.name


def test_a_padded_batch_says_what_each_input_says_alone(converted: Editable) -> None:
    asked, said = questions(converted), [[20, 21], [22], []]
    together = log_probabilities(converted, asked, said)
    for question, tokens, table in zip(asked, said, together, strict=True):
        assert torch.allclose(table, log_probabilities(converted, [question], [tokens])[0], atol=1e-4)
    assert len(answers(converted, asked, max_new_tokens=3)) == 3


def test_its_pictures_are_where_they_change_the_sequence(converted: Editable) -> None:
    """Queries that look everywhere: they have places, and no grid."""
    for count in (1, 2):
        asked = [of_several(count, chat=True, changed=at) for at in (None, count - 1)]
        fed = [feed(converted, own, [[20, 21], [22], []]) for own in asked]
        before, after = (entering(converted, own) for own in fed)
        changed = (before - after).abs().amax(-1) > 1e-4
        for row, places in enumerate(picture_places(converted, fed[0])):
            assert changed[row].nonzero().flatten().tolist() == places[-1].columns.tolist()
            assert [place.grid for place in places] == [None] * count


def test_hooked_is_written_and_the_patch_fits_the_files(
    converted: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Any]
) -> None:
    inputs = call_inputs(converted, feed(converted, questions(converted)))
    rows = random_rows(converted, 0)
    patch = patch_of(converted, rows)
    verify(patch, Checkpoint.open(converted.folder))
    with torch.no_grad(), adding(converted, rows):
        hooked = converted.model(**inputs).logits
    with torch.no_grad(), patched(converted.model, patch):
        written = converted.model(**inputs).logits
    assert torch.allclose(hooked, written, atol=1e-4)


def test_laid_out_without_weights_it_is_the_model_that_is_loaded(converted: Editable) -> None:
    trusted = type(converted.model).__module__.startswith("transformers_modules")
    laid = outline(ModelRef(id=str(converted.folder), trust_remote_code=trusted))
    stored = Checkpoint.open(converted.folder).tensors
    assert laid.places == file_places(converted.model, converted.name, converted.w_outs, stored)
    assert laid.parameters == sum(parameter.numel() for parameter in converted.model.parameters())
    told = facts(laid)
    assert (told.guess, told.images, told.chat_template) == (None, True, True)


def test_code_in_the_folder_is_not_run_unasked(owl: Path) -> None:
    with pytest.raises(ModelError, match="trust_remote_code: true"):
        open_model(ModelRef(id=str(owl)))
