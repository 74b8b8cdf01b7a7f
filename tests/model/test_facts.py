"""What is shown of a checkpoint."""

from __future__ import annotations

import pytest

from editkit.model.editable import Editable
from editkit.model.facts import Head, Matrices, facts, ranges
from editkit.model.outline import outline
from editkit.recipe import ModelRef


def test_of_a_model_that_sees(llava: Editable) -> None:
    told = facts(outline(ModelRef(id=str(llava.folder))))
    assert told.kind == "LlavaForConditionalGeneration"
    assert told.matrices == (
        Matrices(
            path="model.language_model.layers.{}.mlp.down_proj",
            layers=(0, 1, 2),
            experts=None,
            shape=(48, 32),
            tensor="language_model.model.layers.{}.mlp.down_proj.weight",
            orientation="columns",
            dtype="F32",
        ),
    )
    assert told.head == Head("lm_head", (310, 32), tied=False, bias=False, scale=1.0, cap=None)
    assert (told.images, told.image_tokens, told.chat_template) == (True, ("<image>",), True)
    assert (told.context, told.encoder_decoder, told.guess) == (128, False, None)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [((0, 1, 2), "0-2"), ((5,), "5"), ((0, 2, 3, 7), "0, 2-3, 7"), ((), "")],
)
def test_numbers_as_people_write_them(numbers: tuple[int, ...], said: str) -> None:
    assert ranges(numbers) == said
