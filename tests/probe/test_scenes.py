"""Pictures of the demo world as inputs."""

from __future__ import annotations

import numpy as np

from editkit.demo import sets, world
from editkit.probe.scenes import pictures


def test_a_picture_is_the_drawn_scene_and_knows_what_it_shows() -> None:
    for shown, scene in zip(pictures("pairs", 3, 5), sets.scenes("pairs", 3, 5), strict=True):
        assert np.array_equal(np.asarray(shown.open()), world.draw(scene))
        assert shown.contains == set(scene.kinds)


def test_equal_seeds_give_equal_bytes_and_others_do_not() -> None:
    assert pictures("guns", 4, 1) == pictures("guns", 4, 1)
    assert {p.encoded() for p in pictures("guns", 4, 1)}.isdisjoint(
        p.encoded() for p in pictures("guns", 4, 2)
    )
    assert [picture.name for picture in pictures("guns", 2, 1)] == ["guns-0000.png", "guns-0001.png"]
