"""Texts and pictures through a processor: the one it refuses is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.model.encoding import encode
from editkit.plan import Question


def test_sizes_are_those_of_the_upright_pictures(llava: Editable, ask: Callable[..., list[Question]]) -> None:
    encoded = encode(llava, ask(llava))
    assert encoded.sizes == (((64, 64),),) * 3
    assert encode(llava, [ask(llava)[0], ask(llava)[1]]).inputs["input_ids"].shape[0] == 2


def test_the_picture_that_a_processor_refuses_is_named(
    llava: Editable, ask: Callable[..., list[Question]], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(llava.processor.image_processor)
    whole, seen = kind.__call__, ask(llava)
    refused = seen[1].images[0].open().tobytes()

    def picky(self: object, images: list[list[object]], *arguments: object, **named: object) -> object:
        if any(image.tobytes() == refused for one in images for image in one):
            raise ValueError("aspect ratio")
        return whole(self, images, *arguments, **named)

    monkeypatch.setattr(kind, "__call__", picky)
    with pytest.raises(InputError, match=r"can't look at 1\.png \(64 x 64\): aspect ratio$"):
        encode(llava, seen)
    assert encode(llava, seen[2:]).inputs["pixel_values"].shape[0] == 1
