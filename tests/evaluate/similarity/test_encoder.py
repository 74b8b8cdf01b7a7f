from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from editkit.errors import ModelError
from editkit.evaluate.similarity.encoder import EMBEDDED, EMBEDDED_LAYERS, Encoder, open_encoder
from editkit.recipe import ModelRef
from tests.evaluate.similarity.conftest import bert_tokenizer


def refusal(folder: Path | str, layer: int | None = None) -> str:
    with pytest.raises(ModelError) as caught:
        open_encoder(ModelRef(id=str(folder)), layer)
    return str(caught.value)


@pytest.mark.parametrize(("kind", "longest"), [("bert", 40), ("roberta", 38), ("t5", 512)])
def test_it_knows_how_much_it_can_read(kind: str, longest: int, opened: Callable[..., Encoder]) -> None:
    encoder = opened(kind)
    assert encoder.tokenizer.model_max_length == longest
    tokens = encoder.tokens("a fork " * 400)
    assert len(tokens) == longest
    (vectors,) = encoder.vectors(["a fork " * 400])
    assert torch.isfinite(vectors).all()


def test_a_limit_of_the_tokenizer_itself_holds(saved: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(saved("bert"), tmp_path / "short")
    bert_tokenizer(longest=12).save_pretrained(folder)
    assert open_encoder(ModelRef(id=str(folder))).tokenizer.model_max_length == 12


def test_a_first_word_is_the_token_it_is_within_a_text(opened: Callable[..., Encoder]) -> None:
    encoder = opened("roberta")
    alone, within = encoder.tokens("fork")[1:-1], encoder.tokens("a fork")[1:-1]
    assert alone == within[-1:]


@pytest.mark.parametrize("kind", ["bert", "roberta", "t5"])
def test_batches_change_no_vector(kind: str, opened: Callable[..., Encoder]) -> None:
    encoder = opened(kind)
    texts = ["a red fork , a knife and a spoon .", "gun", "a cup", "gun"]
    together, alone = encoder.vectors(texts, batch_size=4), encoder.vectors(texts, batch_size=1)
    for one, other, text in zip(together, alone, texts, strict=True):
        assert torch.allclose(one, other, atol=1e-5)
        assert len(one) == sum(token not in encoder.special for token in encoder.tokens(text))
        assert torch.allclose(one.norm(dim=-1), torch.ones(len(one)), atol=1e-5)


def test_layers_are_counted_from_the_first_and_the_usual_one_is_the_last(
    saved: Callable[[str], Path],
) -> None:
    ref = ModelRef(id=str(saved("bert")))
    assert open_encoder(ref).layer == 3
    assert not torch.equal(open_encoder(ref, 1).vectors(["gun"])[0], open_encoder(ref, 3).vectors(["gun"])[0])
    assert refusal(ref.id, 4) == f"evaluate.encoder.layer: asks for layer 4, and {ref.id} has 1 to 3"


def test_the_one_that_ships_is_small_plain_and_readable_by_transformers() -> None:
    from transformers import AutoModel, AutoTokenizer, BertModel

    folder = EMBEDDED["demo/encoder"]
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 2_000_000
    assert {file.suffix for file in folder.iterdir()} == {".json", ".safetensors"}
    assert type(AutoModel.from_pretrained(folder)) is BertModel
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.model_max_length == 64
    assert tokenizer.tokenize("A Fork, xylophones") == [
        "a",
        "fork",
        ",",
        "x",
        *(f"##{s}" for s in "ylophones"),
    ]
    assert open_encoder(ModelRef(id="demo/encoder")).layer == EMBEDDED_LAYERS["demo/encoder"]


def test_what_is_no_encoder_is_told_in_a_sentence(saved: Callable[[str], Path], tmp_path: Path) -> None:
    from transformers import CLIPVisionConfig, CLIPVisionModel

    assert "no such folder, and no Hub name" in refusal("./nowhere")
    assert "not to be had from the Hub" in refusal("nobody/nothing")
    (tmp_path / "empty").mkdir()
    told = refusal(tmp_path / "empty")
    assert told.startswith("evaluate.encoder: ")
    assert told.endswith("the folder has no config.json, so it is no checkpoint")
    vision = CLIPVisionModel(CLIPVisionConfig(hidden_size=8, intermediate_size=8, num_attention_heads=1))
    vision.save_pretrained(tmp_path / "eyes")
    bert_tokenizer().save_pretrained(tmp_path / "eyes")
    assert "CLIPVisionModel reads no texts" in refusal(tmp_path / "eyes")
    bare = shutil.copytree(saved("bert"), tmp_path / "bare")
    for file in bare.glob("tokenizer*"):
        file.unlink()
    assert "no usable tokenizer in its files (it knows no words)" in refusal(bare)


def test_weights_that_are_not_in_the_files_are_never_made_up(
    saved: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(saved("bert"), tmp_path / "holed")
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("encoder.layer.1.")}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    assert "its files lack weights that are asked for here: encoder.layer.1." in refusal(folder)
    plain = {name: value for name, value in weights.items() if not name.startswith("pooler.")}
    save_file(plain, folder / "model.safetensors", {"format": "pt"})
    assert open_encoder(ModelRef(id=str(folder))).layer == 3, "a pooler is not asked for"
