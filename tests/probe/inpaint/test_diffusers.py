"""A tiny pipeline of random weights, saved as real ones are, paints for real."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from editkit.errors import InputError, UsageError
from editkit.probe.inpaint.diffusers import Diffusers


def _save(folder: Path) -> None:
    """Stable Diffusion's inpainting pipeline with hardly any weights, and a tokenizer of letters."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionInpaintPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    words = ["<|startoftext|>", "<|endoftext|>", *"abcdefghijklmnopqrstuvwxyz"]
    words += [f"{letter}</w>" for letter in "abcdefghijklmnopqrstuvwxyz"]
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({word: at for at, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=16)
    sizes = {"num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 16}
    text = CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=16, **sizes, bos_token_id=0, eos_token_id=1
    )
    blocks = {"block_out_channels": (8, 16), "norm_num_groups": 4, "layers_per_block": 1, "sample_size": 8}
    unet = UNet2DConditionModel(
        **blocks,
        in_channels=9,
        out_channels=4,
        cross_attention_dim=16,
        attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    vae = AutoencoderKL(
        **blocks,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )
    StableDiffusionInpaintPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(text),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DDIMScheduler(clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diffusers") / "tiny"
    _save(folder)
    return folder


PICTURE = np.random.default_rng(1).integers(0, 256, (50, 90, 3), dtype=np.uint8)
MASK = np.zeros((50, 90), dtype=np.bool_)
MASK[10:40, 20:70] = True


def test_it_paints_under_the_mask_alone_and_equal_seeds_paint_alike(
    pipeline: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = {"model": "tiny", "prompt": "a road", "steps": 2, "side": 64}
    first = Diffusers(**settings).beside(lambda path: pipeline.parent / path)
    assert first.model == str(pipeline)
    filled = first.fill(PICTURE, MASK)
    assert filled.shape == PICTURE.shape
    assert np.array_equal(filled[~MASK], PICTURE[~MASK])
    assert (filled[MASK] != PICTURE[MASK]).mean() > 0.5
    assert np.array_equal(first.fill(PICTURE, MASK), filled)
    again = Diffusers(**{**settings, "model": str(pipeline)})
    assert np.array_equal(again.fill(PICTURE, MASK), filled)
    assert not np.array_equal(first.model_copy(update={"seed": 1}).fill(PICTURE, MASK), filled)
    assert capfd.readouterr().out == ""


def test_its_identity_is_that_of_its_files(pipeline: Path, tmp_path: Path) -> None:
    one = Diffusers(model=str(pipeline))
    assert one.identity() == Diffusers(model=str(pipeline)).identity()
    assert one.identity() != Diffusers(model=str(pipeline), seed=1).identity()
    before = one.identity()
    (pipeline / "note.txt").write_text("changed")
    assert one.identity() != before
    assert Diffusers(model="org/name").identity() != Diffusers(model="org/other").identity()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("./nowhere", r"probe\.twins\.model: no folder nowhere"),
        ("HERE", r"probe\.twins\.model: .* is no pipeline of diffusers: it has no model_index"),
    ],
)
def test_a_folder_that_is_no_pipeline(tmp_path: Path, model: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Diffusers(model=model.replace("HERE", str(tmp_path))).check()


def test_what_can_not_be_loaded_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionInpaintPipeline"}')
    with pytest.raises(InputError, match="can't be loaded as an inpainting pipeline") as caught:
        Diffusers(model=str(tmp_path)).fill(PICTURE, MASK)
    assert "\n" not in str(caught.value)


def test_where_it_is_missing_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(UsageError, match=r"pip install 'editkit\[diffusers\]', or choose biharmonic"):
        Diffusers(model="org/name").check()
