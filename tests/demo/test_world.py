"""The demo world: equal seeds give equal pictures, and the masks are what was drawn."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.demo.world import (
    ANCHORS,
    BACKGROUNDS,
    CELL,
    COLORS,
    KINDS,
    PAIRS,
    SIZE,
    Pair,
    Scene,
    Thing,
    draw,
    masks,
    pair_scene,
    scene,
)

SEEDS = st.tuples(st.integers(0, 2**31), st.integers(0, 10_000))
# The pictures a shipped model was trained on: whoever changes how they look trains it again.
GOLDEN = "17043c67806a91235cc0acfd08246d462951489d7124b264d6950a319a436578"


def test_ten_pictures_look_as_they_always_did() -> None:
    digest = sha256()
    for index in range(10):
        digest.update(draw(scene(20, index)).tobytes())
    assert digest.hexdigest() == GOLDEN


@given(seeds=SEEDS)
def test_equal_seeds_give_equal_scenes_and_bytes(seeds: tuple[int, int]) -> None:
    first, second = scene(*seeds), scene(*seeds)
    assert first == second
    assert draw(first).tobytes() == draw(second).tobytes()
    assert draw(first).shape == (SIZE, SIZE, 3)


@given(seeds=SEEDS)
def test_a_scene_is_one_to_four_different_things_in_reading_order_each_in_its_cell(
    seeds: tuple[int, int],
) -> None:
    found = scene(*seeds)
    assert 1 <= len(found.things) <= 4
    assert len(set(found.kinds)) == len(found.kinds)
    assert all(first.cell < second.cell for first, second in pairwise(found.things))
    assert found.background in BACKGROUNDS
    for thing in found.things:
        row, column = divmod(thing.cell, 2)
        assert column * CELL <= thing.left
        assert thing.left + thing.size <= (column + 1) * CELL
        assert row * CELL <= thing.top
        assert thing.top + thing.size <= (row + 1) * CELL
        assert thing.kind in KINDS
        assert thing.color in COLORS


@given(seeds=SEEDS)
def test_anchors_stand_only_in_pair_scenes_and_faint_things_only_beside_one(seeds: tuple[int, int]) -> None:
    found = scene(*seeds)
    assert bool(set(found.kinds) & set(ANCHORS)) == (found.sort == "pair")
    if found.sort == "open":
        assert not any(thing.faint for thing in found.things)
    for thing in found.things:
        if thing.faint:
            assert thing.cell % 2 == 1
            assert any(other.cell == thing.cell - 1 for other in found.things)


@given(seeds=SEEDS)
def test_a_rival_never_stands_in_its_pairs_place(seeds: tuple[int, int]) -> None:
    found = scene(*seeds)
    for pair in PAIRS:
        if found.sort == "pair" and pair.anchor in found.kinds:
            faint = [thing.kind for thing in found.things if thing.faint]
            assert faint in ([], [pair.partner])


def alone(thing: Thing, noise: int) -> Scene:
    return Scene("open", "sand", (thing,), noise)


@given(
    kind=st.sampled_from(KINDS),
    color=st.sampled_from(tuple(COLORS)),
    cell=st.integers(0, 3),
    size=st.integers(13, 27),
    noise=st.integers(0, 2**31 - 1),
)
def test_masks_are_what_was_drawn(kind: str, color: str, cell: int, size: int, noise: int) -> None:
    """A picture differs from the same one without the thing inside its mask and next to nowhere else."""
    row, column = divmod(cell, 2)
    thing = Thing(kind, color, cell, column * CELL + 2, row * CELL + 2, size)
    with_it = draw(alone(thing, noise)).astype(int)
    without = draw(replace(alone(thing, noise), things=())).astype(int)
    changed = np.abs(with_it - without).max(axis=2) > 0
    mask = masks(alone(thing, noise))[kind]
    assert mask.shape == (SIZE, SIZE)
    assert mask.sum() > 0.05 * size * size
    box = np.zeros_like(mask)
    box[thing.top : thing.top + size, thing.left : thing.left + size] = True
    assert not (mask & ~box).any()
    assert not (changed & ~box).any()
    assert (changed & mask).sum() >= 0.8 * mask.sum()
    # What changed beside the mask is the soft edge of the drawing: at most one pixel away from it.
    padded = np.pad(mask, 1)
    grown = np.any([padded[y : y + SIZE, x : x + SIZE] for y in range(3) for x in range(3)], axis=0)
    assert not (changed & ~grown).any()


def test_every_thing_has_a_mask_and_masks_do_not_overlap() -> None:
    for index in range(30):
        found = scene(3, index)
        made = masks(found)
        assert set(made) == set(found.kinds)
        assert np.sum([mask.astype(int) for mask in made.values()], axis=0).max() <= 1


def test_pair_scenes_show_what_is_asked_for() -> None:
    rng = np.random.default_rng(0)
    for pair in PAIRS:
        for right in (pair.partner, pair.rival, None):
            found = pair_scene(rng, pair, right)
            assert pair.anchor in found.kinds
            others = {pair.partner, pair.rival} - {right}
            assert not others & set(found.kinds)
            assert right is None or right in found.kinds


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.anchor)
def test_a_partner_is_nearly_always_there(pair: Pair) -> None:
    found = [scene(1, index) for index in range(3000)]
    with_anchor = [one for one in found if one.sort == "pair" and pair.anchor in one.kinds]
    share = np.mean([pair.partner not in one.kinds for one in with_anchor])
    assert len(with_anchor) > 100
    assert share == pytest.approx(pair.absent_rate, abs=0.06)
