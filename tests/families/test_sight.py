"""Where each family's pictures are: what changes with a picture, and which token shows which part of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.layouts import ASIDE
from editkit.model.prompts import ONE_PICTURE
from editkit.model.sight import picture_places
from editkit.plan import Picture, Question
from editkit.probe.questions import question
from tests.families import FAMILIES, Family
from tests.families.ask import entering, of_several

pytestmark = pytest.mark.filterwarnings(
    # PaliGemma's processor hands torch's tensors to numpy in a way that numpy will drop.
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
SAID = ([20, 21, 22], [23], [])
SEEING = {name: family for name, family in FAMILIES.items() if family.images}
BESIDE = {"idefics", "mllama"}
QUERIES = {"instructblip_vicuna", "instructblip_t5", "blip2_opt", "blip2_t5", "minigpt4"}
# The view's grid of a picture twice as wide as high, and of a square one.
GRIDS = {
    **dict.fromkeys(SEEING, ((2, 2), (2, 2))),
    **dict.fromkeys(("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5"), ((1, 2), (2, 2))),
    **dict.fromkeys(("paligemma", "llava_onevision"), ((4, 4), (4, 4))),
    "pixtral": ((1, 2), (2, 2)),
}


@pytest.fixture(params=SEEING)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(name: str, editable: Callable[[Family], Editable]) -> Editable:
    return editable(FAMILIES[name])


@pytest.mark.parametrize("count", [1, 2])
def test_with_a_picture_change_its_places_and_no_others(name: str, model: Editable, count: int) -> None:
    """In a padded batch that is gone on with, pictures of all shapes, before any attention mixes tokens."""
    if count > 1 and type(model.processor).__name__ in ONE_PICTURE:
        return
    for chat in (True, False) if model.has_chat_template else (False,):
        fed = feed(model, of_several(count, chat=chat), SAID)
        before, places = entering(model, fed), picture_places(model, fed)
        assert [len(own) for own in places] == [count] * 3
        for at in range(count):
            after = entering(model, feed(model, of_several(count, chat=chat, changed=at), SAID))
            changed = (before - after).abs().amax(-1) > 1e-4
            for row, own in enumerate(places):
                assert changed[row].nonzero().flatten().tolist() == own[at].columns.tolist()
                assert bool(own[at].columns.numel()) == (name not in BESIDE)


def painted(size: tuple[int, int], box: tuple[float, float, float, float] | None) -> Picture:
    """A picture in one color, but for a box given in fractions of its sides."""
    width, height = size
    shown = Image.new("RGB", size, "gray")
    if box is not None:
        sides = (width, height, width, height)
        shown.paste("red", tuple(round(at * side) for at, side in zip(box, sides, strict=True)))
    encoded = io.BytesIO()
    shown.save(encoded, "PNG")
    return Picture("painted.png", encoded.getvalue())


@contextmanager
def blinkered(editable: Editable) -> Iterator[None]:
    """No patch of a picture attends to another: what a token shows then is its own patches."""
    with ExitStack() as hooks:
        for path, module in editable.model.named_modules():
            if ASIDE & set(path.split(".")) and type(module).__name__.endswith("Attention"):

                def nothing(module: Any, arguments: Any, output: Any) -> Any:
                    if isinstance(output, tuple):
                        return (torch.zeros_like(output[0]), *output[1:])
                    return torch.zeros_like(output)

                hooks.callback(module.register_forward_hook(nothing).remove)
        yield


@pytest.mark.parametrize("size", [(128, 64), (64, 64)])
def test_a_cell_of_the_view_shows_its_part_of_the_picture(
    name: str, model: Editable, size: tuple[int, int]
) -> None:
    """Painting the middle of a cell changes that cell's token and no other one of the view.

    Rigorous because attention in the vision tower is put out: what is left (patch embedding, merging,
    pooling, pixel shuffle, projection) mixes no patches but those that one token stands for. Only the middle
    is painted, since resizing smears a few pixels over a border.
    """

    def asked(box: tuple[float, float, float, float] | None) -> Question:
        return question("the gun", [painted(size, box)], chat=model.has_chat_template)

    fed = feed(model, [asked(None)])
    place = picture_places(model, fed)[0][0]
    if name in BESIDE | QUERIES:
        assert place.grid is None
        assert not place.view.numel()
        return
    rows, columns = place.grid or (0, 0)
    assert (rows, columns) == GRIDS[name][int(size[0] == size[1])]
    assert set(place.view.tolist()) <= set(place.columns.tolist())
    left, top, right, bottom = place.area
    with blinkered(model):
        before = entering(model, fed)[0, place.view]
        for cell in range(rows * columns):
            x, y = (
                low + (high - low) * (at + 0.5) / many
                for low, high, at, many in (
                    (left, right, cell % columns, columns),
                    (top, bottom, cell // columns, rows),
                )
            )
            wide, high = (right - left) / columns / 8, (bottom - top) / rows / 8
            after = entering(model, feed(model, [asked((x - wide, y - high, x + wide, y + high))]))
            changed = (before - after[0, place.view]).abs().amax(-1)
            assert (changed > 1e-3).nonzero().flatten().tolist() == [cell]
            assert int((changed > 1e-6).sum()) == 1


def test_the_area_is_what_a_crop_leaves(editable: Callable[[Family], Editable]) -> None:
    """What lies outside of it may be painted without any token changing."""
    model = editable(FAMILIES["llava"])
    asked = [question("the gun", [painted((128, 64), box)]) for box in (None, (0, 0, 0.2, 1), (0.8, 0, 1, 1))]
    fed = feed(model, asked)
    seen = entering(model, fed)
    places = [own[0] for own in picture_places(model, fed)]
    assert places[0].area == (0.25, 0.0, 0.75, 1.0)
    assert np.ptp(seen[:, places[0].columns].numpy(), axis=0).max() == 0
