"""Wrong files: one sentence that names the file, and nothing written."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.convert import llama
from editkit.convert.assembly import convert
from editkit.convert.mplug_owl2 import MPLUGOwl2
from editkit.errors import ModelError
from tests.convert import published
from tests.convert.conftest import Files


class Opened:
    """A pickle of this leaves a file behind, if it is let."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch opened",)


def saved(weights: Any) -> Callable[[Path], object]:
    return lambda file: torch.save(weights, file)


def written(content: bytes) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(content)


def truncated(file: Path) -> None:
    torch.save(dict(published.projection()), file)
    file.write_bytes(file.read_bytes()[:-100])


def trained(**more: Any) -> dict[str, Any]:
    return {"model": dict(published.projection()) | more}


PROJECTIONS = {
    "nothing at all": (written(b""), "is no PyTorch checkpoint"),
    "a text": (written(b"weights"), "is no PyTorch checkpoint"),
    "a web page": (written(b"<!DOCTYPE html><html>"), "is a web page"),
    "a pointer": (written(b"version https://git-lfs.github.com/spec/v1\n"), "is a Git LFS pointer"),
    "a part of a file": (truncated, "is damaged or was not downloaded to its end"),
    "code": (saved({"model": Opened()}), "wants (posix|os).system called when it is opened"),
    "code of old": (
        written(pickle.dumps(Opened(), protocol=2)),
        "wants (posix|os).system called when it is opened",
    ),
    "a list": (saved([torch.ones(2)]), "holds no named tensors"),
    "no tensors": (saved({"model": {"epoch": 3}}), "holds no named tensors"),
    "another model": (saved(dict(published.eva())), "no tensor 'llama_proj.weight' in it"),
    "a flat projection": (
        saved({"llama_proj.weight": torch.ones(32)}),
        r"has the shape \[32\], so it is not",
    ),
    "no bias": (saved({"llama_proj.weight": torch.ones(32, 128)}), "becomes language_projection.bias"),
    "that for Llama 2": (
        saved({"model": dict(published.projection(asks=512))}),
        "only the releases for Vicuna",
    ),
    "that for 13B": (saved({"model": dict(published.projection(wide=40))}), "one of them is for 7B"),
    "another bias": (saved(trained(**{"llama_proj.bias": torch.ones(3)})), r"is \[3\] there where .* \[32\]"),
    "MiniGPT-v2": (
        saved(trained(**{"llama_model.base_model.lora_A": torch.ones(3)})),
        "has no place in MiniGPT-4",
    ),
}


@pytest.mark.parametrize(("write", "words"), PROJECTIONS.values(), ids=PROJECTIONS)
def test_a_projection_that_is_none(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], object], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "wrong.pth")
    with pytest.raises(ModelError, match=words) as caught:
        convert(files.parts(projection=tmp_path / "wrong.pth"), tmp_path / "made")
    assert "wrong.pth" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.pth"]


@pytest.mark.parametrize(
    ("part", "file", "words"),
    [
        ("vision", "blip2.pth", "no tensor 'cls_token' in it, so it is not the EVA-ViT-g"),
        ("qformer", "eva_vit_g.pth", "no tensor 'query_tokens' in it, so it is not a Q-Former"),
        ("vision", "nowhere.pth", "nowhere.pth: can't be read"),
        ("vicuna", "eva_vit_g.pth", "neither tokenizer.json nor tokenizer.model"),
    ],
)
def test_parts_that_are_mixed_up(files: Files, tmp_path: Path, part: str, file: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        convert(files.parts(**{part: files.folder / file}), tmp_path / "made")
    assert not any(tmp_path.iterdir())


def test_parts_of_another_width(files: Files, tmp_path: Path) -> None:
    torch.save(dict(published.eva(wide=100)), tmp_path / "eva.pth")
    with pytest.raises(ModelError, match="100 wide and its heads would be 88"):
        files.parts(vision=tmp_path / "eva.pth").assemble()
    torch.save(dict(published.eva(wide=88)), tmp_path / "eva.pth")
    with pytest.raises(
        ModelError, match=r"post_layernorm.weight is \[176\] there where the rest asks for \[88\]"
    ):
        files.parts(vision=tmp_path / "eva.pth").assemble()


def without(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink()

    return change


def config(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return change


FOLDERS = {
    "no config": (without("config.json"), "config.json: can't be read"),
    "a config that is none": (lambda folder: (folder / "config.json").write_text("{"), "is no JSON"),
    "a config that is a list": (
        lambda folder: (folder / "config.json").write_text("[]"),
        "is no JSON object",
    ),
    "no tokenizer": (without("tokenizer.json"), "neither tokenizer.json nor tokenizer.model"),
    "a tokenizer that is none": (
        lambda folder: (folder / "tokenizer.json").write_text("{"),
        "is no tokenizer",
    ),
    "no weights": (
        without("pytorch_model.bin.index.json"),
        "neither safetensors files nor pytorch_model.bin",
    ),
    "a shard too few": (without("pytorch_model-2-of-2.bin"), "pytorch_model-2-of-2.bin: can't be read"),
    "another index": (
        lambda folder: (folder / "pytorch_model.bin.index.json").write_text('{"weight_map": {"a": "../a"}}'),
        "no weight_map",
    ),
}


@pytest.fixture
def changed(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[Path, Callable[[Path], object]], Path]:
    def change(folder: Path, how: Callable[[Path], object]) -> Path:
        shutil.copytree(folder, tmp_path / "changed")
        how(tmp_path / "changed")
        return tmp_path / "changed"

    return change


@pytest.mark.parametrize(
    ("how", "words"),
    [
        *FOLDERS.values(),
        (config(model_type="gpt2"), "is a gpt2, not the Llama that Vicuna is"),
        (config(num_hidden_layers=4), "becomes language_model.model.layers.3"),
        (config(num_attention_heads="many"), "no model can be built of it"),
        (config(hidden_act="none"), "no model can be built of it"),
    ],
)
def test_a_vicuna_that_is_none(files: Files, changed: Any, how: Callable[[Path], object], words: str) -> None:
    vicuna = changed(files.folder / "vicuna", how)
    with pytest.raises(ModelError, match=words) as caught:
        convert(files.parts(vicuna=vicuna), vicuna.parent / "made")
    assert str(vicuna) in str(caught.value)
    assert not (vicuna.parent / "made").exists()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (config(model_type="llava"), "is a llava of"),
        (config(architectures=["MPLUGOwl2QWenForCausalLM"]), "that for Qwen, 2.1, is not known here"),
        (config(vocab_size=400), "fewer words than its embeddings have rows"),
        (config(num_hidden_layers=4), "becomes model.layers.3"),
        (config(hidden_act="none"), "no model can be built of it"),
        (without("preprocessor_config.json"), "preprocessor_config.json: can't be read"),
    ],
)
def test_an_owl_that_is_none(owl: Path, changed: Any, how: Callable[[Path], object], words: str) -> None:
    released = changed(owl.parent / "released", how)
    with pytest.raises(ModelError, match=words):
        convert(MPLUGOwl2(released), released.parent / "made")
    assert not (released.parent / "made").exists()


def test_a_tokenizer_that_takes_one_more_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transformers.utils.import_utils.is_sentencepiece_available", lambda: False)
    (tmp_path / "tokenizer.model").touch()
    with pytest.raises(ModelError, match=r"pip install 'editkit\[convert\]'"):
        llama.tokenizer(tmp_path, "<image>")
