"""A model laid out from its config and headers: as it would be loaded, and without its weights."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import NotASafetensorsRepoError, OfflineModeIsEnabled, SafetensorsParsingError

from editkit.checkpoint import Checkpoint
from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.names import file_places
from editkit.model.outline import Outline, outline
from editkit.recipe import ModelRef
from tests.hub import COMMIT, hub

ROOT = Path(__file__).parents[2]


def of(folder: Path, **others: object) -> Outline:
    return outline(ModelRef.model_validate({"id": str(folder), **others}))


def test_it_is_the_model_that_is_loaded(any_model: Editable) -> None:
    found = of(any_model.folder)
    laid = found.editable
    assert laid.w_outs[1].shape == any_model.w_outs[1].shape
    assert [place.name for place in laid.w_outs] == [place.name for place in any_model.w_outs]
    assert found.places == file_places(any_model.model, "tiny", any_model.w_outs, found.stored)
    assert found.parameters == sum(parameter.numel() for parameter in any_model.model.parameters())
    assert found.stored == Checkpoint.open(any_model.folder).tensors
    assert laid.accepts_images == any_model.accepts_images
    assert laid.tokenizer.padding_side == "left"
    assert {parameter.device.type for parameter in laid.model.parameters()} == {"meta"}


def test_its_numbers_can_not_be_asked_for(llama: Editable) -> None:
    with pytest.raises(ModelError, match="only shapes can be asked for"):
        _ = of(llama.folder).editable.w_outs[0].rows


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_dtype_is_the_one_it_would_be_loaded_in(
    tiny_checkpoint: Callable[..., Path], tmp_path: Path, dtype: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(tiny_checkpoint("llama", dtype), folder)
    assert of(folder).editable.model.dtype == getattr(torch, dtype)
    assert of(folder, dtype="bfloat16").editable.model.dtype == torch.bfloat16
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if k != "dtype"}))
    assert of(folder).editable.model.dtype == getattr(torch, dtype), (
        "read off the files, as transformers does"
    )


def test_pickled_weights_are_refused_in_one_sentence(llama: Editable, tmp_path: Path) -> None:
    shutil.copytree(llama.folder, tmp_path / "copy")
    (tmp_path / "copy" / "model.safetensors").rename(tmp_path / "copy" / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pickles \(pytorch_model\.bin\).*save_pretrained"):
        of(tmp_path / "copy")


def test_a_config_that_makes_no_model(llama: Editable, tmp_path: Path) -> None:
    shutil.copytree(llama.folder, tmp_path / "copy")
    config = json.loads((llama.folder / "config.json").read_text())
    (tmp_path / "copy" / "config.json").write_text(json.dumps({**config, "hidden_act": "nothing"}))
    with pytest.raises(ModelError, match="its config makes no model"):
        of(tmp_path / "copy")


def hollow(folder: Path, source: Path, **sizes: int) -> int:
    """A checkpoint of these sizes whose weights are holes in its file; returns how many bytes it claims."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **sizes, "dtype": "bfloat16"}))
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    header, end = {}, 0
    for name, parameter in model.named_parameters():
        start, end = end, end + 2 * parameter.numel()
        header[name] = {"dtype": "BF16", "shape": list(parameter.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    return end


LLAMA_8B = {
    "vocab_size": 128_256,
    "hidden_size": 4_096,
    "intermediate_size": 14_336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
}
PLAN = """
version: 1
name: big
model: {id: ./big, device: auto}
edits: [{rewrite: {prompt: I see a, from: gun, to: cup}}]
"""
MEASURED = """
import resource, sys
import torch, transformers
from transformers import AutoModelForCausalLM, AutoProcessor, AutoTokenizer, LlamaForCausalLM
from editkit.cli.main import run
import editkit.model.outline, editkit.pipeline, editkit.probe.planning
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
code = run(["--json", "plan", sys.argv[1]])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, file=sys.stderr)
sys.exit(code)
"""


def test_16_gigabytes_are_planned_without_reading_a_weight(llama: Editable, tmp_path: Path) -> None:
    claimed = hollow(tmp_path / "big", llama.folder, **LLAMA_8B)
    assert claimed > 16e9
    (tmp_path / "big.yaml").write_text(PLAN)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "big.yaml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["parameters"] == 8_030_261_248
    assert document["stored_bytes"] == claimed
    assert document["memory"]["weights"] == pytest.approx(claimed, rel=0.001)
    assert len(document["modules"]) == 32
    assert document["modules"][31]["shape"] == [4_096, 14_336]
    kilobytes = int(done.stderr.splitlines()[-1])
    assert kilobytes < 200_000


def test_of_a_hub_model_no_weights_are_downloaded(llama: Editable, tmp_path: Path) -> None:
    claimed = hollow(tmp_path / "big", llama.folder, **{**LLAMA_8B, "num_hidden_layers": 2})
    (tmp_path / "big" / "pytorch_model.bin").write_bytes(b"never")
    with hub("org/big", tmp_path / "big") as serving:
        done = subprocess.run(
            [sys.executable, "-m", "editkit", "--json", "models", "org/big"],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "HF_ENDPOINT": serving.endpoint,
                "HF_HOME": str(tmp_path / "home"),
                "HF_HUB_OFFLINE": "0",
                "HF_HUB_DISABLE_XET": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["revision"] == COMMIT
    assert document["stored_bytes"] == claimed
    assert document["matrices"][0]["tensor"] == "model.layers.{}.mlp.down_proj.weight"
    fetched = [asked for method, asked in serving.asked_for(".safetensors") if method == "GET"]
    # The Hub's client takes the first 100,000 bytes at once, in which nearly every header ends.
    assert fetched == ["bytes=0-100000"]
    assert serving.asked_for(".bin") == []
    assert serving.asked_for("tokenizer.json") != []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotASafetensorsRepoError("none"), "no safetensors files there, and pickled weights can run code"),
        (SafetensorsParsingError("bad header"), "its safetensors files can't be read: bad header"),
        (OfflineModeIsEnabled("offline"), r"org/big at revision main.*OfflineModeIsEnabled.*check the name"),
    ],
)
def test_headers_that_the_hub_does_not_give(
    llama: Editable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    shutil.copytree(llama.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("*.safetensors"))

    def refuse(*args: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(
        "editkit.model.outline.locate_files", lambda ref, weights: (tmp_path / "copy", COMMIT)
    )
    monkeypatch.setattr("huggingface_hub.HfApi.get_safetensors_metadata", refuse)
    with pytest.raises(ModelError, match=said):
        outline(ModelRef(id="org/big", revision="main"))
