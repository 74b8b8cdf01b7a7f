"""COCO segmentations: three forms of one mask, and what the decoder must never be given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as codec

from editkit.probe.masks.segmentation import mask

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def counts(drawn: np.ndarray) -> list[int]:
    """Runs down the columns, zeros first."""
    flat = drawn.ravel(order="F").astype(int)
    edges = np.flatnonzero(np.diff(flat)) + 1
    return [*([0] if flat[0] else []), *np.diff([0, *edges, len(flat)]).tolist()]


@given(MASKS)
def test_runs_with_and_without_compression_are_the_mask(drawn: np.ndarray) -> None:
    height, width = drawn.shape
    compressed = codec.encode(np.asfortranarray(drawn, dtype=np.uint8))["counts"].decode("ascii")
    for given_ in (counts(drawn), compressed):
        assert np.array_equal(mask({"size": [height, width], "counts": given_}, height, width), drawn)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20))
def test_a_rectangle_and_its_union_with_another(left: int, top: int, wide: int, high: int) -> None:
    one = [left, top, left + wide, top, left + wide, top + high, left, top + high]
    found = mask([one], 40, 40)
    expected = np.zeros((40, 40), dtype=np.bool_)
    expected[top : top + high, left : left + wide] = True
    assert np.array_equal(found, expected)
    assert mask([one, [0, 39, 5, 39, 5, 40, 0, 40]], 40, 40)[39, :5].all()


@pytest.mark.parametrize(
    "given_",
    [
        None,
        "polygon",
        [],
        [[1, 1, 2, 2]],
        [[1, 1, 2, 2, 3]],
        [1, 1, 2, 2, 3, 3],
        [[1, 1, 2, 2, 3, float("nan")]],
        [[1, 1, 2, 2, 3, 1e9]],
        [[1, 1, 2, 2, 3, "3"]],
        {"size": [4, 4], "counts": [20]},
        {"size": [4, 5], "counts": [3, 4]},
        {"size": [4, 5], "counts": [3, 400]},
        {"size": [4, 5], "counts": [23, -3]},
        {"size": [4, 5], "counts": "zzzz"},
        {"size": [4, 5], "counts": ""},
        {"size": [4, 5], "counts": "ÿ"},
        {"size": [4, 5]},
    ],
)
def test_what_is_no_segmentation_never_reaches_the_decoder(given_: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        mask(given_, 4, 5)
