"""A region is its mask, eight pixels to a byte."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from editkit.region import Region


@given(arrays.arrays(np.bool_, some.tuples(some.integers(1, 20), some.integers(1, 20))))
def test_a_mask_comes_back_as_it_was(mask: np.ndarray) -> None:
    region = Region.of(mask)
    assert np.array_equal(region.mask(), mask)
    assert region.share == mask.mean()
    assert region == Region.of(mask.copy())
