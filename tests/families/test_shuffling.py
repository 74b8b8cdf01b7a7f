"""Every family that has pictures in its sequence reads their tokens in each other's places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs, log_probabilities
from editkit.model.generate import answers
from editkit.model.prompts import ONE_PICTURE
from editkit.model.shuffling import seeded, shuffled
from editkit.model.sight import picture_places
from tests.families import FAMILIES, Family
from tests.families.ask import entering, of_several

pytestmark = pytest.mark.filterwarnings(
    # PaliGemma's processor hands torch's tensors to numpy in a way that numpy will drop.
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
SAID = ([20, 21, 22], [23], [])
BESIDE = {"idefics", "mllama"}
SEEING = [name for name, family in FAMILIES.items() if family.images and name not in BESIDE]
DEEP = ["qwen3_vl", "qwen3_vl_moe"]


@pytest.fixture(params=SEEING)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(name: str, editable: Callable[[Family], Editable]) -> Editable:
    return editable(FAMILIES[name])


@contextmanager
def without_positions(model: Editable) -> Iterator[None]:
    """Positions that a decoder adds to its embeddings (OPT) are zero."""
    table = dict(model.model.named_parameters()).get(f"{model.layout.name[:-7]}.embed_positions.weight")
    kept = None if table is None else table.detach().clone()
    try:
        if table is not None:
            table.detach().zero_()
        yield
    finally:
        if table is not None:
            table.detach().copy_(kept)


def moved(model: Editable, fed: Any, values: torch.Tensor, order: Any) -> torch.Tensor:
    """`[n, n_tokens, d]` with every picture's tokens in the order asked for."""
    found = values.clone()
    for row, places in enumerate(picture_places(model, fed)):
        for place in places:
            found[row, place.columns] = values[row, place.columns[order(len(place.columns))]]
    return found


@pytest.mark.parametrize("count", [1, 2])
def test_the_tokens_of_pictures_change_places_and_nothing_else(
    name: str, model: Editable, count: int
) -> None:
    """In a padded batch that is gone on with, pictures of all shapes, before any attention mixes tokens."""
    if count > 1 and type(model.processor).__name__ in ONE_PICTURE:
        return
    order = seeded(3)
    with without_positions(model):
        fed = feed(model, of_several(count, chat=model.has_chat_template), SAID)
        before = entering(model, fed)
        with shuffled(model, order):
            after = entering(model, feed(model, of_several(count, chat=model.has_chat_template), SAID))
        assert torch.equal(entering(model, fed), before)
    assert not torch.equal(before, after)
    assert torch.equal(after, moved(model, fed, before, order))


def test_positions_stay_where_they_are(editable: Callable[[Family], Editable]) -> None:
    """OPT adds them to what it reads: they are the same in every column, shuffled or not."""
    model = editable(FAMILIES["blip2_opt"])

    def read() -> tuple[torch.Tensor, torch.Tensor]:
        fed = feed(model, of_several(1, chat=False), SAID)
        whole = entering(model, fed)
        with without_positions(model):
            return whole, entering(model, fed)

    (before, plain), positions = read(), []
    with shuffled(model, seeded(3)):
        after, contents = read()
    positions = [before - plain, after - contents]
    assert torch.allclose(*positions, atol=1e-6)
    assert positions[0].abs().max() > 0.01


@pytest.mark.parametrize("name", DEEP)
def test_what_a_picture_adds_to_later_layers_moves_along(name: str, model: Editable) -> None:
    kept: list[torch.Tensor] = []

    def look(module: Any, arguments: Any, named: Any) -> None:
        seen = named["visual_pos_masks"]
        for rows in named["deepstack_visual_embeds"]:
            kept.append(torch.zeros(*seen.shape, rows.shape[1]).masked_scatter(seen[..., None], rows))

    def read() -> Any:
        fed = feed(model, of_several(2, chat=True), SAID)
        reader = model.model.get_submodule("model.language_model")
        remover = reader.register_forward_pre_hook(look, with_kwargs=True)
        try:
            with torch.no_grad():
                model.model(**call_inputs(model, fed))
        finally:
            remover.remove()
        return fed

    fed = read()
    with shuffled(model, seeded(5)):
        read()
    for before, after in zip(kept[:2], kept[2:], strict=True):
        assert torch.equal(after, moved(model, fed, before, seeded(5)))
        assert not torch.equal(after, before)


def test_the_identity_changes_no_bit_and_answers_are_given_to_shuffled_pictures(model: Editable) -> None:
    asked = of_several(1, chat=model.has_chat_template)
    before = log_probabilities(model, asked, SAID)
    with shuffled(model, torch.arange):
        same = log_probabilities(model, asked, SAID)
    assert all(torch.equal(one, other) for one, other in zip(before, same, strict=True))
    heard: dict[tuple[str, int], torch.Tensor] = {}

    def hear(questions: Any, said: Any, scores: torch.Tensor) -> torch.Tensor:
        for one, tokens, row in zip(questions, said, scores, strict=True):
            heard[one.id, len(tokens)] = row.clone()
        return scores

    with shuffled(model, lambda count: torch.arange(count).flip(0)):
        other = log_probabilities(model, asked, SAID)
        said = answers(model, asked, max_new_tokens=4, batch_size=2, adjust=hear)
        tables = log_probabilities(model, asked, [answer.tokens for answer in said])
    for one, answer, table in zip(asked, said, tables, strict=True):
        for step in range(len(answer.tokens)):
            assert torch.allclose(heard[one.id, step], table[step], atol=1e-4)
    assert not any(torch.equal(one, two) for one, two in zip(before, other, strict=True))
    again = log_probabilities(model, asked, SAID)
    assert all(torch.equal(one, two) for one, two in zip(before, again, strict=True))


@pytest.mark.parametrize("name", sorted(BESIDE))
def test_pictures_beside_the_sequence_are_refused(name: str, editable: Callable[[Family], Editable]) -> None:
    told = "sees pictures through cross-attention, not in its sequence: there are no tokens to shuffle"
    with pytest.raises(ModelError, match=told), shuffled(editable(FAMILIES[name]), seeded(0)):
        pass
