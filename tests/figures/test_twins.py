"""Pictures beside their twins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from editkit.figures.twins import twins
from editkit.plan import Painted, Picture, Twin
from editkit.region import Region


def test_a_row_for_each_picture_with_its_first_null_twins(
    picture: Picture, region: Region, drawn: Callable[[Figure], bytes], words: Callable[[Figure], str]
) -> None:
    moved = Painted(picture, Region.of(np.roll(region.mask(), 24, 0)))
    own = Twin(0, Painted(picture, None), ())
    many = Twin(0, Painted(replace(picture, name="gun-01 without"), region), (moved,) * 3)
    figure = twins([(picture, many), (picture, own)])
    assert len([axes for axes in figure.axes if axes.images]) == 4 + 2
    assert "painted over, 25.0% of the area" in words(figure)
    assert "random region 2" in words(figure)
    assert "random region 3" not in words(figure)
    assert drawn(figure)


def test_pairs_of_the_users_own_have_no_outline(picture: Picture, drawn: Callable[[Figure], bytes]) -> None:
    figure = twins([(picture, Twin(0, Painted(picture, None)))])
    assert not any(axes.collections for axes in figure.axes)
    assert drawn(figure)
    assert drawn(twins([]))
