"""Outlines are where the region is."""

from __future__ import annotations

import numpy as np
import pytest

from editkit.figures.canvas import figure
from editkit.figures.pictures import outlined
from editkit.region import Region


@pytest.mark.parametrize("times", [1, 2])
def test_an_outline_goes_around_its_pixels(times: int) -> None:
    """Also where the region is known in other pixels than the picture is drawn in."""
    mask = np.zeros((10, 20), dtype=np.bool_)
    mask[2:5, 0:8] = True
    axes = figure(2, 1).subplots()
    outlined(axes, Region.of(mask), (10 * times, 20 * times))
    corners = np.concatenate([path.vertices for path in axes.collections[0].get_paths()])
    low, high = corners.min(0) + 0.5, corners.max(0) + 0.5
    assert low == pytest.approx([0 * times, 2 * times], abs=0.51 * times)
    assert high == pytest.approx([8 * times, 5 * times], abs=0.51 * times)
