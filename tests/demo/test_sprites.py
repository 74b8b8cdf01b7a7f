"""Every kind of object can be painted, in every size, and can be told apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from editkit.demo.sprites import FIXED_TONES, SHAPES, sprite, tone


@pytest.mark.parametrize("kind", SHAPES)
def test_a_sprite_is_colour_times_alpha(kind: str) -> None:
    for size in (13, 27):
        painted = sprite(kind, (214, 48, 49), size)
        assert painted.shape == (size, size, 4)
        assert painted.dtype == np.float32
        assert painted.min() >= 0.0
        assert (painted[..., :3] <= painted[..., 3:] + 1e-6).all()
        assert painted[..., 3].max() == pytest.approx(1.0, abs=1e-5)


def test_no_two_kinds_look_the_same() -> None:
    painted = {kind: sprite(kind, (52, 104, 214), 24) for kind in SHAPES}
    for first, second in combinations(SHAPES, 2):
        assert np.abs(painted[first] - painted[second]).mean() > 0.02, (first, second)


def test_tones_are_relative_to_the_colour_or_fixed() -> None:
    assert tone((100, 100, 100), "body") == (100, 100, 100)
    assert tone((100, 100, 100), "dark") == (60, 60, 60)
    assert tone((100, 100, 100), "light") == (170, 170, 170)
    assert all(tone((1, 2, 3), name) == value for name, value in FIXED_TONES.items())
