"""`editkit models`: what can be edited, and what one model looks like."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.families import FAMILIES
from tests.families.odd import build_odd


def test_the_list(call: Any) -> None:
    answer = call("models")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].split() == ["gpt2", "openai-community/gpt2", "transformer.h.{}.mlp.c_proj"]
    assert f"{len(FAMILIES)} families" in answer.out
    assert "  hooked is written and undone bit for bit" in lines
    assert call("-q", "models").out.split() == list(FAMILIES)


def test_the_list_as_a_document(call: Any) -> None:
    document = call("--json", "models").document
    assert {family["name"]: family["checked"] for family in document["families"]}["llava"] == (
        "llava-hf/llava-1.5-7b-hf"
    )
    mixtral = next(family for family in document["families"] if family["name"] == "mixtral")
    assert mixtral["places"][0]["experts"] is True
    assert document["checks"]


def test_one_model(call: Any, tiny_checkpoint: Callable[..., Path]) -> None:
    answer = call("models", tiny_checkpoint("llava", "bfloat16"))
    assert answer.code == 0
    for said in (
        "LlavaForConditionalGeneration",
        "model.language_model.layers.{}.mlp.down_proj",
        "language_model.model.layers.{}.mlp.down_proj.weight",
        "layers 0-2, 48 neurons of 32 numbers, BF16, neurons are columns",
        "lm_head, 310 x 32, not tied",
        "yes, in a prompt <image>",
        "128 tokens",
        "place         known",
    ):
        assert said in answer.out
    assert call("-q", "models", tiny_checkpoint("gpt2")).out == "transformer.h.{}.mlp.c_proj\n"


def test_one_model_as_a_document(call: Any, tiny_checkpoint: Callable[..., Path]) -> None:
    document = call("--json", "models", tiny_checkpoint("gpt2")).document
    assert document["matrices"][0]["orientation"] == "rows"
    assert document["head"]["tied"] is True
    assert (document["known"], document["guess"], document["revision"]) == (True, None, None)
    assert "confirm" not in document


def test_a_guess_is_shown_with_the_line_that_confirms_it(call: Any, tmp_path: Path) -> None:
    build_odd(tmp_path / "odd")
    assert "trust_remote_code" in call("models", "odd").err
    answer = call("models", "odd", "--trust-remote-code")
    assert 'model.w_out: "model.layers.{}.mlp.back"' in answer.out.splitlines()
    document = call("--json", "models", "odd", "--trust-remote-code").document
    assert document["confirm"] == 'model.w_out: "model.layers.{}.mlp.back"'


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere", "no such folder"), ("org/none", "not to be had from the Hub"), ("empty", "no config.json")],
)
def test_what_is_not_there_is_one_sentence(call: Any, tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    answer = call("models", name)
    assert answer.code == 1
    assert said in answer.err.splitlines()[-1]


def test_pickled_weights_are_one_sentence(
    call: Any, tiny_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    shutil.copytree(tiny_checkpoint("gpt2"), tmp_path / "copy")
    (tmp_path / "copy" / "model.safetensors").rename(tmp_path / "copy" / "pytorch_model.bin")
    answer = call("models", "copy")
    assert answer.code == 1
    assert "pickles (pytorch_model.bin)" in answer.err
