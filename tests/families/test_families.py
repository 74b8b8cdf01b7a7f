"""Every family is built by real classes, loads from its files alone and answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from editkit.model.open import load_weights
from editkit.model.processors import load_processor
from tests.families import FAMILIES, Family
from tests.families.ask import inputs

KILOBYTES = {False: 1000, True: 2000}


@pytest.fixture(scope="session")
def opened(built: Callable[[Family], Path]) -> Callable[[Family], Any]:
    return cache(lambda family: load_weights(built(family), family.name))


@pytest.fixture(params=FAMILIES.values(), ids=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return request.param


def test_it_is_a_small_float32_checkpoint(family: Family, built: Callable[[Family], Path]) -> None:
    files = [path for path in built(family).iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1000 * KILOBYTES[family.images]
    assert json.loads((built(family) / "config.json").read_text())["dtype"] == "float32"


def test_it_is_what_the_table_says(
    family: Family, built: Callable[[Family], Path], opened: Callable[[Family], Any]
) -> None:
    model = opened(family)
    config = json.loads((built(family) / "config.json").read_text())
    assert [type(model).__name__] == config["architectures"]
    assert not model.training
    assert bool(model.config.get_text_config().is_encoder_decoder) == family.encoder_decoder
    assert any("experts" in name for name, _ in model.named_modules()) == family.moe


# PaliGemma's processor hands torch's tensors to numpy in a way that numpy will drop.
@pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
def test_it_answers(family: Family, built: Callable[[Family], Path], opened: Callable[[Family], Any]) -> None:
    import torch

    model, reader = opened(family), load_processor(built(family))
    starts = {}
    if family.encoder_decoder:
        starts["decoder_input_ids"] = torch.tensor([[model.generation_config.decoder_start_token_id]])
    asked = inputs(family, reader)
    with torch.no_grad():
        logits = model(**asked, **starts).logits
        answer = model.generate(**asked, max_new_tokens=2)
    assert logits.isfinite().all()
    assert logits.std() > 0.3
    assert answer.shape[0] == 1
    if family.images:
        with torch.no_grad():
            other = model(**inputs(family, reader, color="navy"), **starts).logits
        assert (logits[0, -1] - other[0, -1]).abs().max() > 0.01
