"""A model that nobody here made goes the whole way too: grouped-query attention, a tied head, 512 tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.checkpoint import Checkpoint
from editkit.model.forward import log_probabilities
from editkit.model.hooks import adding
from editkit.model.open import open_model
from editkit.model.patching import undo_patch, write_patch
from editkit.patch.verify import verify
from editkit.probe.questions import question
from editkit.recipe import ModelRef

ASKED = [question(text) for text in ("Once upon a time", "Lily went to the", "The dog")]
SAID = [[300, 301], [302], []]


@pytest.mark.real
def test_stories_are_patched_merged_and_undone(
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Any],
    real_data: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    stories = open_model(ModelRef(id=str(real_data("models/stories260k"))))
    assert [place.shape for place in stories.w_outs] == [(172, 64)] * 5
    rows = random_rows(stories, 0)
    patch = patch_of(stories, rows)
    verify(patch, Checkpoint.open(stories.folder))
    before = log_probabilities(stories, ASKED, SAID)
    with adding(stories, rows):
        hooked = log_probabilities(stories, ASKED, SAID)
    write_patch(stories.model, patch)
    written = log_probabilities(stories, ASKED, SAID)
    stories.model.save_pretrained(tmp_path / "merged")
    stories.processor.save_pretrained(tmp_path / "merged")
    undo_patch(stories.model, patch)
    merged = log_probabilities(open_model(ModelRef(id=str(tmp_path / "merged"))), ASKED, SAID)
    again = log_probabilities(stories, ASKED, SAID)
    for number in range(3):
        assert torch.allclose(hooked[number], written[number], atol=1e-3)
        assert not torch.allclose(before[number], written[number], atol=0.1)
        assert torch.equal(merged[number], written[number])
        assert torch.equal(again[number], before[number])
