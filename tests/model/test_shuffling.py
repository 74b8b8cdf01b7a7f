"""What a shuffled model is told, what it refuses, and that nothing is left of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
import torch

from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs, log_probabilities
from editkit.model.shuffling import seeded, shuffled
from editkit.plan import Question
from editkit.probe.questions import question

SAID = [[5], [6, 7, 8], []]


def hooks(editable: Editable) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in editable.model.modules())


class Boom(Exception):
    pass


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_behind(llava: Editable, ask: Callable[..., list[Question]], fails: bool) -> None:
    said = log_probabilities(llava, ask(llava), SAID)
    before = hooks(llava)  # transformers installs some of its own when the model is first run
    calls: list[int] = []

    def order(count: int) -> torch.Tensor:
        calls.append(count)
        return torch.arange(count).flip(0)

    with suppress(Boom), shuffled(llava, order):
        assert hooks(llava) > before
        log_probabilities(llava, ask(llava), SAID)
        if fails:
            raise Boom
    assert hooks(llava) == before
    again = log_probabilities(llava, ask(llava), SAID)
    assert all(torch.equal(one, other) for one, other in zip(said, again, strict=True))
    assert calls == [4, 4, 4], "batches fed later are nobody's business"


def test_batches_fed_together_are_told_apart(llava: Editable, ask: Callable[..., list[Question]]) -> None:
    """Two batches of one shape whose pictures are in other columns, read in another order than fed."""
    asked = ask(llava)
    first, second = asked[:2], [question("a knife <image> on", asked[0].images), asked[1]]

    def read(fed: object) -> torch.Tensor:
        with torch.no_grad():
            found: torch.Tensor = llava.model(**call_inputs(llava, fed)).logits  # type: ignore[arg-type]  # a Fed
        return found

    with shuffled(llava, seeded(1)):
        fed = [feed(llava, some) for some in (first, second)]
        together = [read(one) for one in fed]
        late = read(fed[0])
    assert torch.equal(late, together[0])
    for some, found in zip((first, second), together, strict=True):
        with shuffled(llava, seeded(1)):
            assert torch.equal(read(feed(llava, some)), found)


def test_generation_without_a_cache_is_shuffled_at_every_step(
    llava: Editable, ask: Callable[..., list[Question]]
) -> None:
    found = []
    for cached in (True, False):
        with shuffled(llava, lambda count: torch.arange(count).flip(0)):
            inputs = feed(llava, ask(llava)).inputs
            found.append(llava.model.generate(**inputs, max_new_tokens=5, do_sample=False, use_cache=cached))
    plain = llava.model.generate(**feed(llava, ask(llava)).inputs, max_new_tokens=5, do_sample=False)
    assert torch.equal(*found)
    assert not torch.equal(found[0], plain)


def test_seeds_are_explicit() -> None:
    assert torch.equal(seeded(4)(50), seeded(4)(50))
    assert not torch.equal(seeded(4)(50), seeded(5)(50))
    assert seeded(4)(50).sort().values.tolist() == list(range(50))


def test_inputs_without_pictures_are_left_alone(llava: Editable) -> None:
    asked = [question("the gun"), question("a knife and a fork")]
    before = log_probabilities(llava, asked, SAID[:2])
    with shuffled(llava, seeded(0)):
        found = log_probabilities(llava, asked, SAID[:2])
    assert all(torch.equal(one, other) for one, other in zip(before, found, strict=True))


def test_what_reads_no_pictures_is_refused(llama: Editable) -> None:
    with pytest.raises(ModelError, match="sees no pictures"), shuffled(llama, seeded(0)):
        pass


def test_a_batch_fed_outside_is_refused(llava: Editable, ask: Callable[..., list[Question]]) -> None:
    fed = feed(llava, ask(llava))
    with pytest.raises(ModelError, match="feed it in the same block"), shuffled(llava, seeded(0)):
        llava.model(**call_inputs(llava, fed))
