"""Places of pictures in LLaVA's sequence, and what is said where they can't be known."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace

import pytest
import torch

from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.sight import picture_places
from editkit.plan import Question
from editkit.probe.questions import question


def test_places_count_the_padding_and_stop_before_the_answer(
    llava: Editable, ask: Callable[..., list[Question]]
) -> None:
    asked = ask(llava)
    fed = feed(llava, asked, [[5], [6, 7, 8], []])
    found = picture_places(llava, fed)
    padding = (fed.inputs["attention_mask"][:, : fed.n_prompt] == 0).sum(1).tolist()
    assert len(set(padding)) == 3
    for (place,), before in zip(found, padding, strict=True):
        assert place.columns.tolist() == [before + 1 + at for at in range(4)], "behind the first token"
        assert place.view.tolist() == place.columns.tolist()
        assert (place.grid, place.area) == ((2, 2), (0.0, 0.0, 1.0, 1.0))


def test_every_picture_of_an_input_has_its_own(llava: Editable, ask: Callable[..., list[Question]]) -> None:
    shown = [one.images[0] for one in ask(llava)]
    places = picture_places(llava, feed(llava, [question("the gun", shown)]))[0]
    assert torch.cat([place.columns for place in places]).tolist() == list(range(1, 13))


def test_without_pictures_there_are_no_places(llava: Editable, llama: Editable) -> None:
    for editable in (llava, llama):
        assert picture_places(editable, feed(editable, [question("the gun")] * 2)) == [[], []]


def test_a_token_for_the_whole_picture_is_none_of_the_grid(
    llava: Editable, ask: Callable[..., list[Question]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llava.processor, "vision_feature_select_strategy", "full")
    place = picture_places(llava, feed(llava, ask(llava)[:1]))[0][0]
    assert place.columns.tolist() == [1, 2, 3, 4, 5]
    assert place.view.tolist() == [2, 3, 4, 5]


def test_queries_in_the_clothes_of_patches_are_no_grid(
    llava: Editable, ask: Callable[..., list[Question]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """MiniGPT-4 and mPLUG-Owl2 as they are converted: one patch as large as the picture."""
    monkeypatch.setattr(llava.processor, "patch_size", 32)
    monkeypatch.setattr(llava.processor, "num_additional_image_tokens", 8)
    place = picture_places(llava, feed(llava, ask(llava)[:1]))[0][0]
    assert len(place.columns) == 8
    assert place.grid is None
    assert not place.view.numel()


def disguised(editable: Editable, name: str) -> Editable:
    """The same model with a processor of another name."""
    processor = copy(editable.processor)
    processor.__class__ = type(name, (type(processor),), {})
    return replace(editable, processor=processor)


def test_of_an_unknown_processor_one_picture_is_known_and_no_order(
    llava: Editable, ask: Callable[..., list[Question]]
) -> None:
    asked = ask(llava)
    other = disguised(llava, "OtherProcessor")
    place = picture_places(other, feed(other, asked[:1]))[0][0]
    assert place.columns.tolist() == [1, 2, 3, 4]
    assert place.grid is None
    several = feed(other, [question("the gun", [one.images[0] for one in asked])])
    with pytest.raises(ModelError, match=r"12 tokens for 3 pictures, where \[\] are known"):
        picture_places(other, several)


def test_settings_that_do_not_fit_the_sequence_are_noticed(
    llava: Editable, ask: Callable[..., list[Question]]
) -> None:
    fed = feed(llava, ask(llava)[:1])
    fed.inputs["input_ids"][0, -1] = 3
    with pytest.raises(ModelError, match="5 tokens for 1 pictures"):
        picture_places(disguised(llava, "PaliGemmaProcessor"), fed)
