from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoProcessor, Blip2ForConditionalGeneration, Blip2Processor

from editkit.convert.assembly import convert
from editkit.convert.minigpt4 import PICTURE, SYSTEM
from editkit.errors import UsageError
from editkit.events import Event, Noted
from editkit.model.open import load_weights
from tests.convert import original, published
from tests.convert.conftest import Files

TURN = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Is it a gun?"}]}]


@pytest.fixture(scope="module")
def model(minigpt4: Path) -> Any:
    return load_weights(minigpt4, "minigpt4")


@pytest.fixture(scope="module")
def processor(minigpt4: Path) -> Any:
    return AutoProcessor.from_pretrained(minigpt4)


def asked(processor: Any, color: str = "orange") -> Any:
    prompt = processor.apply_chat_template(TURN, add_generation_prompt=True)
    return processor(images=[Image.new("RGB", (40, 50), color)], text=[prompt], return_tensors="pt")


def by_hand(vicuna: Path, pixels: Tensor, before: str, after: str) -> tuple[list[int], Tensor]:
    """MiniGPT-4 without BLIP-2: the text before and after the picture is tokenized and embedded apart."""
    words = published.tokenizer(legacy=True, add_bos_token=True)
    first, last = words(before).input_ids, words(after, add_special_tokens=False).input_ids
    seen = original.q_former(published.qformer(), original.eva_vit(published.eva(), pixels, 2), 3)
    seen = original.dense(published.projection(), "llama_proj", seen)
    llama = load_weights(vicuna, "vicuna")
    embedded = [llama.get_input_embeddings()(torch.tensor([ids])) for ids in (first, last)]
    logits: Tensor = llama(inputs_embeds=torch.cat([embedded[0], seen, embedded[1]], 1)).logits
    return [*first, *[len(words)] * published.QUERIES, *last], logits


@torch.no_grad()
def test_it_says_what_its_parts_say_when_put_together_by_hand(
    model: Any, processor: Any, tmp_path: Path
) -> None:
    inputs = asked(processor)
    before = f"{SYSTEM}###Human: <Img>"
    vicuna = published.vicuna(tmp_path / "vicuna")
    ids, logits = by_hand(vicuna, inputs["pixel_values"], before, "</Img> Is it a gun?###Assistant:")
    assert inputs["input_ids"][0].tolist() == ids
    assert type(model) is Blip2ForConditionalGeneration
    found = model(**inputs).logits
    assert logits.std() > 1
    torch.testing.assert_close(found[..., :-1], logits, atol=1e-4, rtol=1e-4)
    # the token for pictures is as likely as <unk>
    torch.testing.assert_close(found[..., -1], found[..., 0])
    other = model(**asked(processor, "navy")).logits
    assert (found[0, -1] - other[0, -1]).abs().max() > 0.1


def test_its_neurons_are_those_of_vicuna(model: Any, files: Files) -> None:
    weights = torch.load(files.folder / "vicuna" / "pytorch_model-1-of-2.bin", weights_only=True)
    weights |= torch.load(files.folder / "vicuna" / "pytorch_model-2-of-2.bin", weights_only=True)
    for layer in range(3):
        name = f"model.layers.{layer}.mlp.down_proj.weight"
        assert torch.equal(model.get_parameter(f"language_model.{name}"), weights[name])


def test_it_answers_until_the_next_turn(model: Any, processor: Any) -> None:
    known = processor.tokenizer.get_vocab()
    ends = [known["</s>"], known["\u2581###"], known["##"]]
    assert model.generation_config.eos_token_id == ends
    assert model.language_model.generation_config.eos_token_id == ends
    answer = model.generate(**asked(processor), max_new_tokens=3, do_sample=False)
    assert answer.shape[1] <= asked(processor)["input_ids"].shape[1] + 3


def test_blip2s_own_processor_reads_the_folder_too(minigpt4: Path, model: Any) -> None:
    reader = Blip2Processor.from_pretrained(minigpt4)
    inputs = reader(images=[Image.new("RGB", (40, 50))], text=["a gun"], return_tensors="pt")
    assert inputs["input_ids"][0, :5].tolist() == [model.config.image_token_index] * published.QUERIES + [1]
    assert reader.tokenizer.chat_template is not None


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        (TURN, f"{SYSTEM}###Human: <Img>{PICTURE}</Img> Is it a gun?###Assistant:"),
        ([{"role": "user", "content": "Hi."}], "###Human: Hi.###Assistant:"),
        ([{"role": "system", "content": "Be kind."}, *TURN[:1]], "Be kind.###Human: "),
        (
            [*TURN, {"role": "assistant", "content": "No."}, {"role": "user", "content": "Sure?"}],
            "Is it a gun?###Assistant: No.###Human: Sure?###Assistant:",
        ),
    ],
)
def test_the_prompt_is_that_of_the_authors(processor: Any, messages: list[Any], text: str) -> None:
    assert text in processor.apply_chat_template(messages, add_generation_prompt=True)


def test_a_blip2_folder_gives_the_same_as_the_files_it_was_made_of(
    files: Files, minigpt4: Path, model: Any, tmp_path: Path
) -> None:
    from transformers import T5Config

    config = model.config.to_dict() | {"text_config": T5Config(d_model=8, d_ff=8, num_layers=1, num_heads=1)}
    flan = Blip2ForConditionalGeneration(type(model.config)(**config))
    flan.vision_model.load_state_dict(model.vision_model.state_dict())
    flan.qformer.load_state_dict(model.qformer.state_dict())
    flan.query_tokens.data = model.query_tokens.data
    flan.save_pretrained(tmp_path / "blip2")
    heard: list[Event] = []
    parts = files.parts(blip2=tmp_path / "blip2", vision=None, qformer=None)
    made = convert(parts, tmp_path / "made", heard.append).folder
    ours, theirs = load_file(made / "model.safetensors"), load_file(minigpt4 / "model.safetensors")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert json.loads((made / "config.json").read_text()) == json.loads(
        (minigpt4 / "config.json").read_text()
    )
    warnings = [event.text for event in heard if isinstance(event, Noted) and event.warning]
    assert len(warnings) == 1
    assert "blip2-flan-t5-xxl" in warnings[0]


def test_the_fortieth_block_of_the_tower_is_left_out(files: Files, tmp_path: Path) -> None:
    torch.save(dict(published.eva(40, wide=88, side=1)), tmp_path / "eva.pth")
    torch.save({"model": dict(published.qformer(2, seen=88))}, tmp_path / "blip2.pth")
    parts = files.parts(vision=tmp_path / "eva.pth", qformer=tmp_path / "blip2.pth", dtype="float16")
    made = convert(parts, tmp_path / "made").folder
    assert json.loads((made / "config.json").read_text())["vision_config"]["num_hidden_layers"] == 39
    names = load_file(made / "model.safetensors").keys()
    assert "vision_model.encoder.layers.38.mlp.fc2.bias" in names
    assert "vision_model.encoder.layers.39.mlp.fc2.bias" not in names


def test_weights_are_halved_but_for_those_of_the_q_former(files: Files, tmp_path: Path) -> None:
    made = convert(files.parts(dtype="float16"), tmp_path / "made").folder
    for name, value in load_file(made / "model.safetensors").items():
        asks = name.startswith(("qformer.", "query_tokens"))
        assert value.dtype == (torch.float32 if asks else torch.float16), name
    model, reader = load_weights(made, "half", dtype="auto"), AutoProcessor.from_pretrained(made)
    assert model.language_model.dtype == torch.float16
    with torch.no_grad():
        assert model(**asked(reader).to(torch.float16)).logits.isfinite().all()


def test_what_was_trained_with_the_projection_wins(files: Files, tmp_path: Path) -> None:
    trained = published.projection()
    trained.add("query_tokens", 1, published.QUERIES, published.D_QFORMER)
    trained.add("llama_model.model.norm.weight", published.D_MODEL)
    torch.save({"model": dict(trained)}, tmp_path / "trained.pth")
    made = convert(files.parts(projection=tmp_path / "trained.pth"), tmp_path / "made").folder
    found = load_file(made / "model.safetensors")
    assert torch.equal(found["query_tokens"], trained["query_tokens"])
    assert torch.equal(found["language_model.model.norm.weight"], trained["llama_model.model.norm.weight"])


@pytest.mark.parametrize("spare", [0, 5])
def test_the_token_for_pictures_gets_a_row_only_where_there_is_none(
    files: Files, tmp_path: Path, spare: int
) -> None:
    words = len(published.vocabulary())
    vicuna = published.vicuna(tmp_path / "vicuna", rows=words + spare)
    made = convert(files.parts(vicuna=vicuna), tmp_path / "made").folder
    found, before = load_file(made / "model.safetensors"), load_file(vicuna / "model.safetensors")
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        rows = found[f"language_model.{name}"]
        assert torch.equal(rows[: len(before[name])], before[name])
        assert len(rows) == max(words + spare, words + 1)
        assert spare or torch.equal(rows[-1], before[name][0])


@pytest.mark.parametrize("left_out", [("vision",), ("qformer",), ("vision", "qformer"), ()])
def test_too_few_or_too_many_parts(files: Files, left_out: tuple[str, ...]) -> None:
    blip2 = files.folder if not left_out else None
    with pytest.raises(UsageError, match="--blip2"):
        files.parts(blip2=blip2, **dict.fromkeys(left_out)).assemble()


def test_pickles_are_named(files: Files) -> None:
    heard: list[Event] = []
    tell: Callable[[Event], None] = heard.append
    files.parts().assemble(tell)
    said = [event.text for event in heard if isinstance(event, Noted)]
    assert len(said) == 4
    assert all("weights_only=True" in text for text in said)
