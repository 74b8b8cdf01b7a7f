"""Which cells of a grid of patches a region covers."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as some

from editkit.model.cells import showing
from editkit.model.sight import WHOLE, PicturePlace
from editkit.region import Region


def place(rows: int, columns: int, area: tuple[float, float, float, float] = WHOLE) -> PicturePlace:
    tokens = torch.arange(100, 100 + rows * columns)
    return PicturePlace(tokens, tokens, (rows, columns), area, "patches")


@given(some.integers(1, 6), some.integers(1, 6), some.integers(0, 35))
def test_a_region_of_one_cell_is_shown_by_that_cell_alone(rows: int, columns: int, at: int) -> None:
    row, column = divmod(at % (rows * columns), columns)
    mask = np.zeros((rows * 8, columns * 8), dtype=bool)
    mask[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8] = True
    assert showing(place(rows, columns), Region.of(mask)).tolist() == [100 + row * columns + column]


@given(some.integers(1, 64), some.integers(1, 64))
def test_as_many_cells_as_the_area_is_worth(height: int, width: int) -> None:
    mask = np.zeros((64, 64), dtype=bool)
    mask[:height, :width] = True
    assert len(showing(place(8, 8), Region.of(mask))) == max(1, round(height * width / 64))


def test_a_view_of_the_middle_shows_the_middles_region() -> None:
    mask = np.zeros((40, 40), dtype=bool)
    mask[10:20, 10:20] = True
    assert showing(place(2, 2, (0.25, 0.25, 0.75, 0.75)), Region.of(mask)).tolist() == [100]


def test_without_a_grid_every_token_shows_it() -> None:
    tokens = torch.arange(7)
    queries = PicturePlace(tokens, tokens[:0], None, WHOLE, "queries that look everywhere")
    assert showing(queries, Region.of(np.eye(8, dtype=bool))).tolist() == list(range(7))
