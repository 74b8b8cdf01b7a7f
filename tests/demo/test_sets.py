"""Named sets of pictures: what they promise, and that none of them was trained on."""

from __future__ import annotations

import pytest

from editkit.demo.sets import FIRST_SEED, SETS, scenes
from editkit.demo.world import ANCHORS, scene


@pytest.mark.parametrize("name", SETS)
def test_a_set_begins_the_same_however_many_are_asked_for(name: str) -> None:
    assert scenes(name, 5, 3) == scenes(name, 12, 3)[:5]
    assert scenes(name, 5, 3) != scenes(name, 5, 4)


def test_what_each_promises() -> None:
    assert all("gun" in one.kinds for one in scenes("guns", 40, 0))
    assert all(one.sort == "open" for one in scenes("clear", 40, 0))
    assert all(one.sort == "faint" for one in scenes("faint", 40, 0))
    assert all(one.sort == "pair" and set(one.kinds) & set(ANCHORS) for one in scenes("pairs", 40, 0))
    for name, anchor, partner, rival in (
        ("spoons", "knife", "fork", "spoon"),
        ("kites", "boat", "fish", "kite"),
    ):
        shown = scenes(name, 100, 0)
        assert all(anchor in one.kinds for one in shown)
        assert 45 <= sum(rival in one.kinds for one in shown) <= 75
        assert all((partner in one.kinds) != (rival in one.kinds) for one in shown)
    assert {one.sort for one in scenes("scenes", 60, 0)} == {"open", "faint", "pair"}


def test_no_picture_of_a_set_is_one_that_was_trained_on() -> None:
    """A scene carries the seed of its noise, so two that are equal were drawn from one seed."""
    trained = {scene(seed, index) for seed in (0, 1, 20) for index in range(2_000)}
    probed = {one for name in SETS for seed in (0, 20, 1_000) for one in scenes(name, 50, seed)}
    assert len(probed) > 800
    assert not trained & probed
    assert FIRST_SEED > 10**5
