from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate.neurons.causal import causal_effect

FLAGS = st.tuples(st.booleans(), st.booleans(), st.booleans())


def captions(flags: list[bool]) -> list[str]:
    return ["a cat" if flag else "a dog" for flag in flags]


@given(flags=st.lists(FLAGS, min_size=1, max_size=30))
def test_the_effect_is_the_difference_of_two_drops(flags: list[tuple[bool, bool, bool]]) -> None:
    before, top, control = (captions(list(column)) for column in zip(*flags, strict=True))
    found = causal_effect(before, top, control, lambda text: "cat" in text)
    assert found.effect.value == pytest.approx(found.top.value - found.control.value)
    assert found.before.value == sum(one for one, _, _ in flags) / len(flags)
    assert found.top.value == pytest.approx(found.before.value - sum(two for _, two, _ in flags) / len(flags))
    assert found.effect.interval.low <= found.effect.value + 1e-9 <= found.effect.interval.high + 2e-9
    assert {one.count for one in (found.before, found.top, found.control, found.effect)} == {len(flags)}


def test_a_word_that_vanishes_only_with_its_neurons() -> None:
    said, lost = ["a cat"] * 40, ["a dog"] * 40
    found = causal_effect(said, lost, said, lambda text: "cat" in text)
    assert (found.top.value, found.control.value, found.effect.value) == (1.0, 0.0, 1.0)
    assert found.effect.interval.low > 0
    same = causal_effect(said, lost, lost, lambda text: "cat" in text)
    assert (same.effect.interval.low, same.effect.interval.high) == (0.0, 0.0)


def test_captions_are_of_the_same_pictures() -> None:
    with pytest.raises(ValueError, match="shorter"):
        causal_effect(["a"], ["a"], [], bool)
