"""What every inpainter promises: only what is under the mask changes, the same each time."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from editkit.errors import InputError, RecipeError
from editkit.methods import build
from editkit.probe import inpaint
from editkit.probe.inpaint import INPAINTERS
from editkit.probe.inpaint.inpainter import Inpainter

QUICK = ("biharmonic", "mean", "blur", "telea", "navier_stokes")
SIZES = st.tuples(st.integers(8, 24), st.integers(8, 24))


def make(name: str, **settings: Any) -> Inpainter:
    found: Inpainter = build(INPAINTERS, name, settings, "probe.twins")
    return found


def test_the_table_has_a_line_for_every_inpainter() -> None:
    files = {path.stem for path in Path(str(inpaint.__file__)).parent.glob("*.py")}
    classes = {
        f"{kind.__module__}:{name}"
        for stem in files - {"__init__"}
        for name, kind in vars(import_module(f"editkit.probe.inpaint.{stem}")).items()
        if inspect.isclass(kind) and issubclass(kind, Inpainter) and not inspect.isabstract(kind)
    }
    assert set(INPAINTERS.values()) == classes
    assert set(QUICK) == set(INPAINTERS) - {"diffusers"}


@pytest.mark.parametrize("name", QUICK)
@given(data=st.data())
def test_pixels_outside_the_mask_are_bit_identical(name: str, data: st.DataObject) -> None:
    size = data.draw(SIZES)
    picture = data.draw(arrays.arrays(np.uint8, (*size, 3)))
    mask = data.draw(arrays.arrays(np.bool_, size, fill=st.booleans()))
    before = picture.copy(), mask.copy()
    inpainter = make(name)
    if mask.all():
        with pytest.raises(InputError, match="covers the whole picture"):
            inpainter.fill(picture, mask)
        return
    filled = inpainter.fill(picture, mask)
    assert filled.shape == picture.shape
    assert filled.dtype == np.uint8
    assert np.array_equal(filled[~mask], picture[~mask])
    assert np.array_equal(picture, before[0])
    assert np.array_equal(mask, before[1])
    assert np.array_equal(make(name).fill(picture, mask), filled)


@pytest.mark.parametrize("name", QUICK)
def test_what_is_painted_hangs_on_the_rest_alone(name: str) -> None:
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    mask = np.zeros((60, 80), dtype=np.bool_)
    mask[10:40, 20:70] = True
    other = picture.copy()
    other[mask] = 255 - other[mask]
    assert np.array_equal(make(name).fill(picture, mask), make(name).fill(other, mask))


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("size", [(50, 60), (400, 500)])
def test_a_hole_in_one_colour_is_filled_with_it(name: str, size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), (200, 30, 90), dtype=np.uint8)
    mask = np.zeros(size, dtype=np.bool_)
    mask[size[0] // 5 : size[0] // 2, : size[1] // 2] = True
    holed = np.where(mask[..., None], np.uint8(0), picture)
    # OpenCV's fast marching drifts a little on its way.
    most = 16 if name == "telea" else 1
    assert np.abs(make(name).fill(holed, mask).astype(int) - picture).max() <= most


@pytest.mark.parametrize("settings", [{}, {"pixels": 100}])
def test_biharmonic_goes_on_with_a_gradient(settings: dict[str, int]) -> None:
    ramp = np.broadcast_to(np.linspace(20, 220, 100)[None, :, None], (90, 100, 3)).round().astype(np.uint8)
    mask = np.zeros((90, 100), dtype=np.bool_)
    mask[20:70, 30:80] = True
    filled = make("biharmonic", **settings).fill(np.where(mask[..., None], np.uint8(0), ramp), mask)
    assert np.abs(filled.astype(int) - ramp).max() <= 12


def test_blur_is_of_what_is_near_and_mean_of_everything() -> None:
    picture = np.zeros((60, 60, 3), dtype=np.uint8)
    picture[:, 30:] = 200
    mask = np.zeros((60, 60), dtype=np.bool_)
    mask[25:35, 2:10] = mask[25:35, 50:58] = True
    near = make("blur").fill(picture, mask)
    assert near[mask & (np.arange(60) < 30)].max() < 20 < 180 < near[mask & (np.arange(60) > 30)].min()
    assert set(np.unique(make("mean").fill(picture, mask)[mask])) == {100}


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("biharmonc", {}, r"probe\.twins\.method: unknown name, did you mean biharmonic"),
        ("blur", {"radios": 1}, r"probe\.twins\.radios: unknown key, did you mean radius"),
        ("telea", {"radius": 0}, r"probe\.twins\.radius: expected a number above 0"),
        ("diffusers", {}, r"probe\.twins\.model: is missing: an inpainting pipeline"),
    ],
)
def test_settings_are_checked(name: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        make(name, **settings)
