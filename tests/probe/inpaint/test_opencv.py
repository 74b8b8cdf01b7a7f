"""OpenCV is an extra."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from editkit.errors import UsageError
from editkit.probe.inpaint.navier_stokes import NavierStokes
from editkit.probe.inpaint.telea import Telea


@pytest.mark.parametrize("kind", [Telea, NavierStokes])
def test_where_it_is_missing_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, kind: type[Telea | NavierStokes]
) -> None:
    kind().check()
    monkeypatch.setitem(sys.modules, "cv2", None)
    mask = np.zeros((8, 8), dtype=np.bool_)
    mask[2, 2] = True
    for call in (kind().check, lambda: kind().fill(np.zeros((8, 8, 3), dtype=np.uint8), mask)):
        with pytest.raises(UsageError, match=r"pip install 'editkit\[opencv\]', or choose biharmonic"):
            call()


def test_the_two_paint_differently() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (30, 30, 3), dtype=np.uint8)
    mask = np.zeros((30, 30), dtype=np.bool_)
    mask[8:20, 8:20] = True
    assert not np.array_equal(Telea().fill(picture, mask), NavierStokes().fill(picture, mask))
    assert not np.array_equal(Telea().fill(picture, mask), Telea(radius=9).fill(picture, mask))
