"""Every family that sees is asked as its processor wants it: chat turns, plain prompts, several pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import log_probabilities
from editkit.model.generate import answers
from editkit.model.prompts import ONE_PICTURE, picture_mark
from editkit.model.room import reader_length
from editkit.plan import Picture, Question
from editkit.probe.questions import question
from tests.families import FAMILIES, Family
from tests.families.ask import PROMPTS, drawn, of_several

pytestmark = pytest.mark.filterwarnings(
    # PaliGemma's processor hands torch's tensors to numpy in a way that numpy will drop.
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
SEEING = {name: family for name, family in FAMILIES.items() if family.images}
SAID = ([20, 21, 22], [23], [])
# What a plain prompt with two pictures looks like; the number of tokens a picture has is left out.
PLAIN = {
    "llava": "<s><image>+\nthe gun",
    "llava_next": "<s><image>+\nthe gun",
    "llava_onevision": "<image>+\nthe gun",
    "qwen2_vl": "<|vision_start|><|image_pad|>+<|vision_end|>" * 2 + "the gun",
    "paligemma": "<image>+<bos>the gun\n",
    "gemma3": "<bos>" + "\n\n<start_of_image><image_soft_token>+<end_of_image>\n\n" * 2 + "the gun",
    "idefics": "<s><fake_token_around_image>" + "<image>+<fake_token_around_image>" * 2 + "the gun",
    "mllama": "<|image|>+<|begin_of_text|>the gun",
    "internvl": "<img><IMG_CONTEXT>+</img><img><IMG_CONTEXT>+</img>\nthe gun",
    "pixtral": "<s>[IMG]+[IMG_BREAK][IMG]+[IMG_END][IMG]+[IMG_END]the gun",
}
PLAIN |= dict.fromkeys(("qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5"), PLAIN["qwen2_vl"])


@pytest.fixture(params=SEEING.values(), ids=SEEING)
def model(request: pytest.FixtureRequest, editable: Callable[[Family], Editable]) -> Editable:
    return editable(request.param)


def takes_one(editable: Editable) -> bool:
    return type(editable.processor).__name__ in ONE_PICTURE


def ways(editable: Editable) -> tuple[bool, ...]:
    return (True, False) if editable.has_chat_template else (False,)


def says_alone_what_it_says_in_a_batch(editable: Editable, asked: list[Question]) -> None:
    together = log_probabilities(editable, asked, SAID)
    for one, tokens, table in zip(asked, SAID, together, strict=True):
        alone = log_probabilities(editable, [one], [tokens])[0]
        assert float((table - alone).abs().max()) <= 1e-5 * max(1.0, float(alone.abs().max()))
    said = answers(editable, asked, max_new_tokens=3)
    assert said == [answers(editable, [one], max_new_tokens=3)[0] for one in asked]


def test_two_pictures_of_any_size_say_in_a_batch_what_they_say_alone(model: Editable) -> None:
    if takes_one(model):
        with pytest.raises(InputError, match=r"looks at one picture, and an input has 2 \(32x32\.png, 64x32"):
            feed(model, of_several(2, chat=False))
        return
    for chat in ways(model):
        asked = of_several(2, chat=chat)
        says_alone_what_it_says_in_a_batch(model, asked)
        for changed in (0, 1):
            before = log_probabilities(model, asked, SAID)
            after = log_probabilities(model, of_several(2, chat=chat, changed=changed), SAID)
            assert all((a - b).abs().max() > 1e-3 for a, b in zip(before, after, strict=True)), (
                "both are seen"
            )


def test_plain_prompts_with_one_picture(model: Editable) -> None:
    says_alone_what_it_says_in_a_batch(model, of_several(1, chat=False))


def test_prompts_without_a_picture(model: Editable) -> None:
    for chat in ways(model):
        asked = [question(prompt, chat=chat) for prompt in PROMPTS]
        if takes_one(model):
            with pytest.raises(InputError, match=r"looks at one picture, and an input has 0 \('the gun'\)"):
                feed(model, asked)
        else:
            says_alone_what_it_says_in_a_batch(model, asked)


def mark_read(editable: Editable) -> str:
    """The token that stands in a sequence for a picture or a part of it."""
    token = editable.picture_token
    return "<image>" if token is None else editable.tokenizer.convert_ids_to_tokens(token)


@pytest.mark.parametrize("name", PLAIN)
def test_pictures_stand_in_a_plain_prompt_as_the_family_wants_them(
    name: str, editable: Callable[[Family], Editable]
) -> None:
    model = editable(FAMILIES[name])
    shown = [drawn("square.png", 32, 32), drawn("wide.png", 32, 16)]
    text = model.tokenizer.decode(feed(model, [question("the gun", shown)]).inputs["input_ids"][0])
    mark = mark_read(model)
    while mark * 2 in text:
        text = text.replace(mark * 2, mark)
    assert text.replace(mark, f"{mark}+") == PLAIN[name]


def test_a_plain_prompt_may_place_its_pictures_itself(model: Editable) -> None:
    mark, shown = picture_mark(model), [drawn("a.png", 32, 32)]
    placed = question(f"the {mark} gun", shown)
    if takes_one(model):
        with pytest.raises(InputError, match="stands for a picture"):
            feed(model, [placed])
        return
    text = model.tokenizer.decode(feed(model, [placed]).inputs["input_ids"][0])
    before, _, after = text.partition(mark_read(model))
    assert "the" in before
    assert "gun" in after
    for wrong in (replace(placed, images=()), replace(placed, prompt=f"{mark} or {mark}")):
        with pytest.raises(InputError, match="stands for a picture"):
            feed(model, [wrong])
    if model.has_chat_template:
        with pytest.raises(InputError, match="leave it out"):
            feed(model, [replace(placed, chat=True)])


def test_no_chat_template_no_chat(editable: Callable[[Family], Editable]) -> None:
    for name in ("paligemma", "blip2_opt", "idefics"):
        with pytest.raises(InputError, match="has no chat template: ask with `chat: false`"):
            feed(editable(FAMILIES[name]), of_several(1, chat=True))


def test_nothing_is_cut_off_silently_whatever_the_tokenizer_was_saved_with(
    model: Editable, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = of_several(1, chat=model.has_chat_template)
    before = feed(model, asked).inputs
    for reads in {model.tokenizer, getattr(model.processor, "qformer_tokenizer", model.tokenizer)}:
        monkeypatch.setitem(reads.init_kwargs, "truncation", True)
        monkeypatch.setitem(reads.init_kwargs, "max_length", 8)
        monkeypatch.setattr(reads, "model_max_length", 8)
    after = feed(model, asked).inputs
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("shown", [0, 1])
def test_a_prompt_longer_than_the_context_is_named(model: Editable, shown: int) -> None:
    short, long = (question(prompt, [drawn("a.png", 32, 32)] * shown) for prompt in ("a cup", "a gun " * 300))
    if takes_one(model) and not shown:
        return
    reads, named = reader_length(model), r"begins 'a gun a gun"
    if model.context_length is not None:
        with pytest.raises(InputError, match=rf"of [67]\d\d tokens.* into the 256 of .*{named}"):
            feed(model, [short, long])
    elif "Instruct" in type(model.processor).__name__:
        with pytest.raises(InputError, match=rf"Q-Former .* {reads} tokens .* has [67]\d\d.*{named}"):
            feed(model, [short, long])
    else:
        assert feed(model, [short, long], wanted=900).inputs["input_ids"].shape[1] > 600, "T5 has no bound"


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 60), (60, 1), (3, 3)])
def test_pictures_of_one_pixel(model: Editable, width: int, height: int) -> None:
    shown = question("the gun", [drawn("dot.png", width, height)])
    if type(model.processor).__name__ == "PixtralProcessor" and width != height:
        # Real ones have patches of a sixtieth of the side; here nothing of the short side is left.
        with pytest.raises(InputError, match=r"can't look at dot\.png \(\d+ x \d+\): "):
            feed(model, [question("a cup", [drawn("a.png", 32, 32)]), shown])
        return
    assert log_probabilities(model, [shown], [[20]])[0].isfinite().all()


@pytest.mark.real
@pytest.mark.parametrize("name", ["llava", "llava_next", "qwen2_5_vl", "idefics3", "pixtral"])
def test_photographs(
    name: str, editable: Callable[[Family], Editable], real_data: Callable[[str], Path]
) -> None:
    model: Any = editable(FAMILIES[name])
    files = sorted(real_data("coco/images").glob("*.jpg"))[:3]
    pairs = zip(PROMPTS, files, files[1:] + files[:1], strict=True)
    asked = [question(prompt, [Picture(file.name, file) for file in shown]) for prompt, *shown in pairs]
    says_alone_what_it_says_in_a_batch(model, asked)
