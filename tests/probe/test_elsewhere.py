"""Random regions have the area of the given one, and lie beside it where there is room."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from editkit.probe.elsewhere import elsewhere
from editkit.region import Region

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(8, 20), st.integers(8, 20))).filter(
    lambda mask: mask.any() and not mask.all()
)


@given(MASKS, st.binary(min_size=32, max_size=32))
def test_equal_area_never_the_original_and_the_overlap_is_told(mask: np.ndarray, seed: bytes) -> None:
    region = Region.of(mask)
    found = elsewhere(region, 3, seed)
    for place in found:
        moved = place.region.mask()
        assert moved.sum() == mask.sum()
        assert (moved != mask).any()
        assert place.overlap == (moved & mask).sum() / mask.sum()
    assert elsewhere(region, 1, seed) == found[:1]


@given(st.integers(0, 55), st.integers(0, 35), st.integers(4, 9), st.binary(min_size=32, max_size=32))
def test_a_small_object_has_room_beside_it(left: int, top: int, side: int, seed: bytes) -> None:
    mask = np.zeros((40, 60), dtype=np.bool_)
    mask[top : top + side, left : left + side] = True
    found = elsewhere(Region.of(mask), 8, seed)
    assert all(place.overlap == 0 for place in found)
    assert len({place.region for place in found}) == 8


def test_an_object_without_room_gets_what_overlaps_least() -> None:
    mask = np.zeros((40, 40), dtype=np.bool_)
    mask[:, 4:34] = True
    found = elsewhere(Region.of(mask), 4, bytes(32))
    assert all(20 / 30 <= place.overlap <= 24 / 30 for place in found), "at least 20 columns must overlap"


def test_other_seeds_give_other_places() -> None:
    mask = np.zeros((64, 64), dtype=np.bool_)
    mask[5:15, 5:25] = True
    assert elsewhere(Region.of(mask), 3, bytes(32)) != elsewhere(Region.of(mask), 3, bytes([1] * 32))
