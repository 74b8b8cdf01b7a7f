"""Heat-maps over pictures, and what stands there instead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from editkit.figures.heatmaps import Look, heat_maps
from editkit.heat import Heat
from editkit.plan import Picture
from editkit.region import Region


def test_a_picture_its_map_and_its_mask_stand_side_by_side(
    picture: Picture,
    region: Region,
    make_heat: Callable[..., Heat],
    drawn: Callable[[Figure], bytes],
    words: Callable[[Figure], str],
) -> None:
    values = np.zeros((2, 2, 2))
    values[:, 0, 0] = 1.0, 3.0
    figure = heat_maps([Look(picture, make_heat(values), "a gun (gun)", region)])
    shown, over, mask = figure.axes
    assert np.array_equal(shown.images[0].get_array(), np.asarray(picture.open()))
    heat = over.images[1].get_array()
    assert heat.shape == (48, 64)
    assert (heat.min(), heat.max(), heat[0, 0]) == (0.0, 1.0, 1.0)
    black = mask.images[0].get_array() == 0
    assert black[:12, :16].all(), "up to the middle of the cell"
    assert black.mean() == 1 / 16
    written = words(figure)
    assert "gun-01: a gun (gun)" in written
    assert "mean of 2 neurons: 0 (dark) to 2 (light)" in written
    assert "inside the outline: 4.0 x" in written
    assert drawn(figure)


def test_weights_turn_the_sign(picture: Picture, make_heat: Callable[..., Heat]) -> None:
    values = np.stack([np.eye(2), np.eye(2)])
    look = Look(picture, make_heat(values), weights=(1.0, -3.0))
    assert heat_maps([look]).axes[1].images[1].get_array()[0, 0] == 0.0


def test_tokens_without_a_grid_have_a_bar_each(
    picture: Picture,
    make_heat: Callable[..., Heat],
    drawn: Callable[[Figure], bytes],
    words: Callable[[Figure], str],
) -> None:
    figure = heat_maps([Look(picture, make_heat(np.array([[1.0, -2.0, 0.5]]), "queries that look around"))])
    _, bars = figure.axes
    assert [bar.get_height() for bar in bars.patches] == [1.0, -2.0, 0.5]
    assert "L0.N0: no map, queries that look around" in words(figure)
    assert drawn(figure)


def test_where_the_picture_is_no_token_that_is_said(
    picture: Picture,
    make_heat: Callable[..., Heat],
    drawn: Callable[[Figure], bytes],
    words: Callable[[Figure], str],
) -> None:
    figure = heat_maps([Look(picture, make_heat(np.zeros((3, 0)), "not in the sequence"))])
    assert "not in the sequence" in words(figure)
    assert drawn(figure)


def test_what_is_the_same_everywhere_and_what_is_not_looked_at(
    picture: Picture,
    region: Region,
    make_heat: Callable[..., Heat],
    drawn: Callable[[Figure], bytes],
    words: Callable[[Figure], str],
) -> None:
    flat = make_heat(np.ones((1, 2, 2)))
    right = Heat(flat.neurons, flat.values, (2, 2), (0.5, 0.0, 1.0, 1.0), "patches")
    figure = heat_maps([Look(picture, flat, region=region), Look(picture, right, region=region)])
    assert "inside the outline: 1.0 x" in words(figure)
    assert "does not look at" in words(figure)
    assert np.isnan(figure.axes[4].images[1].get_array().filled(np.nan)[:, :32]).all()
    assert drawn(figure)
    assert drawn(heat_maps([]))
