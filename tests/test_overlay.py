"""Values on a grid over a picture: where they come to lie, and how much of them is on an object."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from editkit.errors import InputError
from editkit.overlay import concentration, covered, hottest, laid, scaled
from editkit.region import Region

SHAPES = some.tuples(some.integers(1, 6), some.integers(1, 6))
GRIDS = arrays.arrays(np.float32, SHAPES, elements=some.floats(-4, 4, width=32))
MASKS = arrays.arrays(np.bool_, some.tuples(some.integers(1, 20), some.integers(1, 20)))
CROPS = some.tuples(*[some.floats(-0.5, 0.3)] * 2, *[some.floats(0.7, 1.5)] * 2)


@given(SHAPES, CROPS, some.integers(1, 40), some.integers(1, 40), some.floats(-3, 3))
def test_what_is_the_same_everywhere_stays_so(
    shape: tuple[int, int], area: tuple[float, ...], height: int, width: int, value: float
) -> None:
    found = laid(np.full(shape, value), height, width, area)  # type: ignore[arg-type]
    assert found.shape == (height, width)
    assert np.allclose(found[np.isfinite(found)], value)


@given(GRIDS)
def test_at_the_middles_of_cells_stand_their_values(grid: np.ndarray) -> None:
    rows, columns = grid.shape
    found = laid(grid, rows * 3, columns * 3)
    assert np.allclose(found[1::3, 1::3], grid, atol=1e-5)


def test_between_two_middles_it_goes_straight() -> None:
    assert laid(np.array([[0.0, 1.0]]), 1, 8)[0] == pytest.approx([0, 0, 1 / 8, 3 / 8, 5 / 8, 7 / 8, 1, 1])


def test_a_crop_leaves_out_what_the_model_does_not_see() -> None:
    found = laid(np.array([[1.0, 2.0]]), 4, 8, (0.25, 0.0, 0.75, 1.0))
    assert np.isfinite(found).all(0).tolist() == [False, False, True, True, True, True, False, False]
    assert found[0, 2:6] == pytest.approx([1.0, 1.25, 1.75, 2.0])


def test_of_a_padded_picture_cells_beyond_its_border_are_cut_off() -> None:
    """A picture twice as wide as high, padded to a square above and below."""
    grid = np.array([[9.0], [1.0], [2.0], [9.0]])
    found = laid(grid, 4, 1, (0.0, -0.5, 1.0, 1.5))[:, 0]
    assert found == pytest.approx([3.0, 1.25, 1.75, 3.75])


@given(GRIDS)
def test_scaled_from_zero_to_one(grid: np.ndarray) -> None:
    found = scaled(grid)
    low, high = (0.0, 1.0) if grid.max() > grid.min() else (0.0, 0.0)
    assert (found.min(), found.max()) == pytest.approx((low, high))
    assert np.isnan(scaled(np.array([[np.nan, 1.0, 2.0]]))[0, 0])


@given(arrays.arrays(np.float64, 200, elements=some.floats(-4, 4), unique=True))
def test_a_twentieth_is_hottest(values: np.ndarray) -> None:
    hot = hottest(values)
    assert hot.sum() == 10
    assert values[hot].min() > values[~hot].max()


def test_nothing_is_hottest_where_all_is_the_same_or_unseen() -> None:
    assert not hottest(np.ones((4, 4))).any()
    assert hottest(np.array([np.nan, 0.0, 1.0])).tolist() == [False, False, True]
    assert hottest(np.array([0.0, 1.0, 1.0])).tolist() == [False, True, True]


@given(SHAPES, MASKS, CROPS, some.floats(0.1, 5))
def test_without_any_relation_the_concentration_is_one(
    shape: tuple[int, int], mask: np.ndarray, area: tuple[float, ...], value: float
) -> None:
    seen = laid(np.ones(shape), *mask.shape, area)  # type: ignore[arg-type]
    assume(bool((mask & np.isfinite(seen)).any()))
    found = concentration(np.full(shape, value), Region.of(mask), area)  # type: ignore[arg-type]
    assert found == pytest.approx(1.0)


@given(SHAPES, some.data())
def test_all_inside_gives_one_over_the_share(shape: tuple[int, int], data: some.DataObject) -> None:
    """A region of whole cells, and activation in them alone, however it is spread there."""
    cells = data.draw(arrays.arrays(np.bool_, shape))
    assume(bool(cells.any()))
    values = data.draw(arrays.arrays(np.float64, shape, elements=some.floats(0.1, 3)))
    region = Region.of(np.kron(cells, np.ones((3, 2))).astype(np.bool_))
    grid = np.where(cells, values, -1.0)
    assert concentration(grid, region) == pytest.approx(1 / region.share)
    assert concentration(-grid * ~cells, region) == 0.0


@given(GRIDS, MASKS, some.integers(1, 4), some.floats(0.1, 9))
def test_finer_pixels_and_larger_activations_change_nothing(
    grid: np.ndarray, mask: np.ndarray, times: int, factor: float
) -> None:
    assume(bool(mask.any()))
    finer = Region.of(np.kron(mask, np.ones((times, times))).astype(np.bool_))
    expected = concentration(grid, Region.of(mask))
    assert concentration(grid.astype(np.float64) * factor, finer) == pytest.approx(expected, abs=1e-6)


def test_only_what_the_model_sees_counts() -> None:
    mask = np.zeros((4, 8), dtype=np.bool_)
    mask[:, 2:4] = True
    region, area = Region.of(mask), (0.25, 0.0, 0.75, 1.0)
    assert concentration(np.array([[1.0, 0.0]]), region, area) == 2.0
    outside = Region.of(np.roll(mask, -2, axis=1))
    with pytest.raises(InputError, match="empty in the part"):
        concentration(np.array([[1.0, 0.0]]), outside, area)
    with pytest.raises(InputError, match="the region is empty"):
        concentration(np.ones((2, 2)), Region.of(np.zeros((4, 4), dtype=np.bool_)))


def test_a_region_that_is_everything_says_nothing() -> None:
    grid = np.random.default_rng(0).normal(size=(4, 4))
    assert concentration(grid, Region.of(np.ones((9, 9), dtype=np.bool_))) == pytest.approx(1.0)


@given(MASKS, SHAPES, CROPS)
def test_cells_cover_no_more_than_the_region(
    mask: np.ndarray, shape: tuple[int, int], area: tuple[float, float, float, float]
) -> None:
    shares = covered(Region.of(mask), shape, area)
    assert shares.shape == shape
    assert shares.min() >= 0.0
    assert shares.max() <= 1.0 + 1e-9
    left, top, right, bottom = area
    size = (right - left) * (bottom - top) * mask.size / (shape[0] * shape[1])
    assert shares.sum() * size <= mask.sum() + 1e-6


@given(MASKS, SHAPES)
def test_of_a_whole_picture_nothing_of_the_region_is_lost(mask: np.ndarray, shape: tuple[int, int]) -> None:
    assert covered(Region.of(mask), shape).mean() == pytest.approx(mask.mean(), abs=1e-9)


def test_what_is_beyond_the_border_is_not_covered() -> None:
    everything = Region.of(np.ones((4, 4), dtype=bool))
    found = covered(everything, (4, 2), (0.0, -0.5, 1.0, 1.5))
    assert found.tolist() == [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]
