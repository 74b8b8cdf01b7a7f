"""The algebra of patches in files: exported one after another, or merged first, the bytes are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from editkit.checkpoint import Checkpoint
from editkit.export.checking import check_folder
from editkit.export.merged import export_merged
from editkit.export.reverted import export_reverted
from editkit.patch.algebra import inverted, merged
from editkit.patch.file import Patch
from tests.patch.tensors import DTYPES, Rows, drawn, dtypes, make_base, patch_of, split

Bases = Callable[[str], Checkpoint]
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Bases:
    return cache(lambda dtype: make_base(tmp_path_factory.mktemp("base"), dtype))


@contextmanager
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name)


def export(patch: Patch, checkpoint: Checkpoint, place: Path) -> Checkpoint:
    export_merged(patch, checkpoint, place)
    return Checkpoint.open(place)


def weights(checkpoint: Checkpoint) -> bytes:
    return (checkpoint.folder / WEIGHTS).read_bytes()


@settings(max_examples=6)
@given(rows=split(3), dtype=dtypes)
def test_one_after_another_in_any_order_is_the_merge(
    bases: Bases, rows: tuple[Rows, ...], dtype: str
) -> None:
    base = bases(dtype)
    patches = [patch_of(base, own, seed) for seed, own in enumerate(rows)]
    with folder() as place:
        whole = export(merged(patches, checkpoint=base), base, place / "whole")
        assert check_folder(whole.folder, base).whole
        for number, order in enumerate(permutations(patches)):
            state = base
            for step, patch in enumerate(order):
                state = export(patch, state, place / f"{number}.{step}")
            assert weights(state) == weights(whole)
            assert check_folder(state.folder, base).whole


@settings(max_examples=6)
@given(rows=drawn(2, 99), dtype=dtypes)
def test_taken_back_every_byte_is_the_bases(bases: Bases, rows: list[Rows], dtype: str) -> None:
    base = bases(dtype)
    with folder() as place:
        first = patch_of(base, rows[0], 1)
        state = export(first, base, place / "first")
        second = patch_of(state, rows[1], 2)
        top = export(second, state, place / "second")
        whole = merged([second, first])
        assert weights(export(whole, base, place / "whole")) == weights(top)
        export_reverted(place / "whole", place / "back")
        assert weights(Checkpoint.open(place / "back")) == weights(base)
        assert weights(export(inverted(second), top, place / "lower")) == weights(state)
        assert weights(export(inverted(whole), top, place / "lowest")) == weights(base)


@pytest.mark.parametrize("dtype", sorted(DTYPES))
def test_what_changes_nothing_exports_the_base(bases: Bases, dtype: str, tmp_path: Path) -> None:
    base = bases(dtype)
    made = patch_of(base, {((0, None), 1): 1})
    for number, nothing in enumerate((patch_of(base, {}), merged([made, inverted(made)]))):
        assert weights(export(nothing, base, tmp_path / str(number))) == weights(base)
