from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoProcessor

from editkit.convert.mplug_owl2 import PICTURE
from tests.convert import original, published

TURN = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Is it a gun?"}]}]
SEEN = published.QUERIES + 1


@pytest.fixture(scope="module")
def model(owl: Path, remote: Callable[[Path], Any]) -> Any:
    return remote(owl)


@pytest.fixture(scope="module")
def processor(owl: Path) -> Any:
    return AutoProcessor.from_pretrained(owl, trust_remote_code=True)


def asked(processor: Any, *colors: str, question: str = "Is it a gun?") -> Any:
    turn = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}]
    prompt = processor.apply_chat_template(turn, add_generation_prompt=True)
    pictures = [[Image.new("RGB", (40, 50), color)] for color in colors]
    return processor(images=pictures, text=[prompt] * len(colors), return_tensors="pt")


def by_hand(pixels: Tensor, before: str, after: str) -> tuple[list[int], Tensor, list[bool]]:
    """The original's way: both sides of the picture are tokenized apart, the second without its bos."""
    words, weights = published.tokenizer(legacy=True, add_bos_token=True), published.owl()
    first, last = words(before).input_ids, words(after).input_ids[1:]
    table, seen = weights["model.embed_tokens.weight"], original.owl_sees(weights, pixels)[0]
    embedded = torch.cat([table[first], seen, table[last]])
    pictured = [False] * len(first) + [True] * SEEN + [False] * len(last)
    return [*first, *[len(words)] * SEEN, *last], embedded, pictured


@torch.no_grad()
def test_it_says_what_the_original_says(model: Any, processor: Any) -> None:
    inputs = asked(processor, "orange")
    ids, embedded, pictured = by_hand(inputs["pixel_values"], "USER: ", "Is it a gun? ASSISTANT:")
    assert inputs["input_ids"][0].tolist() == ids
    logits = original.owl_decoder(published.owl(), embedded, pictured)
    assert logits.std() > 1
    torch.testing.assert_close(model(**inputs).logits[0], logits, atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("wrong", ["words", "pictures", "everything"])
def test_words_and_pictures_have_norms_keys_and_values_of_their_own(
    model: Any, processor: Any, wrong: str
) -> None:
    inputs = asked(processor, "orange")
    _, embedded, pictured = by_hand(inputs["pixel_values"], "USER: ", "Is it a gun? ASSISTANT:")
    swapped = [seen != (wrong == "everything" or seen == (wrong == "pictures")) for seen in pictured]
    logits = original.owl_decoder(published.owl(), embedded, swapped)
    assert (model(**inputs).logits[0, -1] - logits[-1]).abs().max() > 0.1


@torch.no_grad()
def test_a_text_alone_goes_the_way_of_words(model: Any, processor: Any) -> None:
    inputs = processor.tokenizer("USER: a gun", return_tensors="pt")
    embedded = published.owl()["model.embed_tokens.weight"][inputs["input_ids"][0]]
    logits = original.owl_decoder(published.owl(), embedded, [False] * len(embedded))
    found = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits[0]
    torch.testing.assert_close(found, logits, atol=1e-4, rtol=1e-4)


def test_its_neurons_are_where_every_llama_has_them(model: Any, owl: Path) -> None:
    names = [name for name, _ in model.named_modules() if name.endswith("down_proj")]
    assert names == [f"model.layers.{layer}.mlp.down_proj" for layer in range(3)]
    assert model.get_decoder() is model.model
    released = published.owl()
    for name in names:
        assert torch.equal(model.get_parameter(f"{name}.weight"), released[f"{name}.weight"])
        assert torch.equal(load_file(owl / "model.safetensors")[f"{name}.weight"], released[f"{name}.weight"])


@torch.no_grad()
def test_it_generates_what_it_says_step_by_step(model: Any, processor: Any) -> None:
    inputs = asked(processor, "orange")
    answer = model.generate(**inputs, max_new_tokens=5, do_sample=False)
    ids = inputs["input_ids"]
    for _ in range(answer.shape[1] - ids.shape[1]):
        best = (
            model(input_ids=ids, pixel_values=inputs["pixel_values"], use_cache=False)
            .logits[:, -1:]
            .argmax(-1)
        )
        ids = torch.cat([ids, best], 1)
    assert answer.tolist() == ids.tolist()


@torch.no_grad()
def test_a_batch_says_what_each_says_alone(model: Any, processor: Any) -> None:
    alone = [asked(processor, "orange"), asked(processor, "navy", question="A gun, a cup and an apple?")]
    longest = max(one["input_ids"].shape[1] for one in alone)
    ids, mask = (
        torch.cat([torch.nn.functional.pad(one[key], (longest - one[key].shape[1], 0)) for one in alone])
        for key in ("input_ids", "attention_mask")
    )
    pixels = torch.cat([one["pixel_values"] for one in alone])
    places = (mask.cumsum(1) - 1).clamp(min=0)
    together = model(input_ids=ids, attention_mask=mask, pixel_values=pixels, position_ids=places).logits
    for row, one in zip(together, alone, strict=True):
        torch.testing.assert_close(row[-1], model(**one).logits[0, -1], atol=1e-4, rtol=1e-4)
    assert (together[0, -1] - together[1, -1]).abs().max() > 0.1


@torch.no_grad()
def test_the_picture_matters(model: Any, processor: Any) -> None:
    orange, navy = model(**asked(processor, "orange", "navy")).logits[:, -1]
    assert (orange - navy).abs().max() > 0.1


def test_places_and_pictures_have_to_match(model: Any, processor: Any) -> None:
    inputs = asked(processor, "orange")
    with pytest.raises(ValueError, match="no pictures are given"):
        model(input_ids=inputs["input_ids"])
    with pytest.raises(ValueError, match="places for 5 tokens of pictures, and the pictures make 10"):
        model(input_ids=inputs["input_ids"], pixel_values=inputs["pixel_values"].repeat(2, 1, 1, 1))
    with pytest.raises(ValueError, match="give input_ids or inputs_embeds"):
        model()


def test_gradients_reach_the_neurons(model: Any, processor: Any) -> None:
    model(**asked(processor, "orange")).logits[0, -1].max().backward()
    for layer in model.model.layers:
        assert layer.mlp.down_proj.weight.grad.abs().max() > 0
    model.zero_grad()


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        (TURN, f"USER: {PICTURE}Is it a gun? ASSISTANT:"),
        ([{"role": "user", "content": "Hi."}], "USER: Hi. ASSISTANT:"),
        (
            [*TURN, {"role": "assistant", "content": "No."}, {"role": "user", "content": "Sure?"}],
            f"USER: {PICTURE}Is it a gun? ASSISTANT: No.</s>USER: Sure? ASSISTANT:",
        ),
    ],
)
def test_the_prompt_is_that_of_the_authors(processor: Any, messages: list[Any], text: str) -> None:
    assert processor.apply_chat_template(messages, add_generation_prompt=True) == text


def test_pictures_keep_the_colors_of_the_release(processor: Any) -> None:
    assert list(processor.image_processor.image_mean) == [0.5, 0.4, 0.3]
    assert asked(processor, "orange")["pixel_values"].shape == (1, 3, 28, 28)
