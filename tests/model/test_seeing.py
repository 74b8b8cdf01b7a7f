"""What a picture's tokens give to a neuron, against the model itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from editkit.demo import language, sets
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.model.hooks import hidden_of
from editkit.model.seeing import seen
from editkit.model.sight import picture_places
from editkit.neuron import Neuron
from editkit.overlay import concentration
from editkit.plan import Question
from editkit.probe.questions import question
from editkit.probe.scenes import picture

NEURONS = (Neuron(2, 5), Neuron(0, 47), Neuron(1, 12))
SAID = [9, 10]


def emitted(editable: Editable, asked: Question, token: int, factor: float) -> torch.Tensor:
    """What the neurons emit at the last position, one picture token's entry into the first layer scaled."""
    values: dict[int, torch.Tensor] = {}

    def scale(layer: torch.nn.Module, given: tuple, named: dict) -> tuple:
        hidden_of(given, named)[0, token] *= factor
        return given, named

    def look(layer: int) -> Callable[..., None]:
        return lambda module, given: values.update({layer: given[0][0, -1].clone()})

    removers = [editable.layers[0].register_forward_pre_hook(scale, with_kwargs=True)]
    removers += [place.module.register_forward_pre_hook(look(place.layer)) for place in editable.w_outs]
    with torch.no_grad():
        editable.model(**call_inputs(editable, feed(editable, [asked], [SAID])))
    for remover in removers:
        remover.remove()
    return torch.stack([values[neuron.layer][neuron.index] for neuron in NEURONS])


def test_a_tokens_gift_is_what_the_neuron_loses_when_it_shrinks(
    llava: Editable, ask: Callable[..., list[Question]]
) -> None:
    asked = ask(llava)[0]
    ((found,),) = seen(llava, [asked], [SAID], NEURONS)
    place = picture_places(llava, feed(llava, [asked], [SAID]))[0][0]
    step = 1e-2
    for token, given in zip(place.view.tolist(), found.values.reshape(3, -1).T, strict=True):
        more, less = (emitted(llava, asked, token, 1 + way * step) for way in (1, -1))
        sign = emitted(llava, asked, token, 1.0).sign()
        assert np.allclose(given, sign * (more - less) / (2 * step), atol=2e-3)


@pytest.mark.parametrize("size", [1, 2, 16])
def test_batches_change_nothing(llava: Editable, ask: Callable[..., list[Question]], size: int) -> None:
    asked = [*ask(llava), question("the gun")]
    said = [[9], [9, 10, 11], [], [12]]
    found = seen(llava, asked, said, NEURONS, size)
    assert [len(own) for own in found] == [1, 1, 1, 0]
    for own, one, before in zip(found, asked, said, strict=True):
        for batched, alone in zip(own, seen(llava, [one], [before], NEURONS)[0], strict=True):
            assert np.allclose(batched.values, alone.values, atol=1e-5)


def test_nothing_is_left_behind(llava: Editable, ask: Callable[..., list[Question]]) -> None:
    def hooks() -> list[tuple[int, int]]:
        return [(len(m._forward_pre_hooks), len(m._forward_hooks)) for m in llava.model.modules()]

    seen(llava, ask(llava)[:1], [SAID], NEURONS)  # transformers hangs hooks of its own on a first forward
    before = hooks()
    seen(llava, ask(llava)[:1], [SAID], NEURONS)
    assert hooks() == before
    assert all(parameter.grad is None for parameter in llava.model.parameters())


def test_the_embedded_model_says_a_word_for_what_is_there(demo: Editable) -> None:
    """All neurons of the last layer see mostly the object that is said next, far above its area's share."""
    times = []
    for at, scene in enumerate(sets.scenes("clear", 6, 0)):
        shown = picture(f"{at}.png", scene)
        before = f" {language.caption(scene)}".partition(f" {scene.kinds[0]}")[0]
        said = demo.tokenizer.encode(before, add_special_tokens=False)
        asked = question(language.CAPTION_PROMPT, [shown], chat=True)
        ((found,),) = seen(demo, [asked], [said], [Neuron(3, at) for at in range(0, 512, 64)])
        times.append(concentration(found.mean(), shown.regions[scene.kinds[0]]()))
    assert np.mean(times) > 3
