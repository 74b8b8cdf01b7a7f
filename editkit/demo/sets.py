"""Named sets of pictures of the demo world, for recipes: none of them was ever trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from editkit.demo.world import PAIRS, Scene, faint_scene, open_scene, pair_scene, scene

FIRST_SEED: Final = 1_000_000  # the training script draws with seeds far below


def _usual(rng: np.random.Generator) -> Scene:
    return scene(int(rng.integers(FIRST_SEED, 2**31)), 0)


def _guns(rng: np.random.Generator) -> Scene:
    return open_scene(rng, with_kind="gun")


def _taken_for(anchor: str) -> Callable[[np.random.Generator], Scene]:
    """An anchor, and in its partner's place the rival or truly the partner."""
    pair = next(pair for pair in PAIRS if pair.anchor == anchor)

    def draw(rng: np.random.Generator) -> Scene:
        return pair_scene(rng, pair, pair.rival if rng.random() < 0.6 else pair.partner)

    return draw


def _pairs(rng: np.random.Generator) -> Scene:
    """Any anchor, with its partner, its rival or nothing beside it."""
    pair = PAIRS[int(rng.integers(len(PAIRS)))]
    return pair_scene(rng, pair, (pair.partner, pair.rival, None)[int(rng.integers(3))])


SETS: Final[dict[str, Callable[[np.random.Generator], Scene]]] = {
    "scenes": _usual,
    "clear": open_scene,
    "faint": faint_scene,
    "guns": _guns,
    "spoons": _taken_for("knife"),
    "pairs": _pairs,
    "kites": _taken_for("boat"),
}


def scenes(name: str, count: int, seed: int) -> list[Scene]:
    """The first `count` scenes of a set; equal seeds give equal scenes."""
    number = tuple(SETS).index(name)
    return [SETS[name](np.random.default_rng([FIRST_SEED + seed, number, index])) for index in range(count)]
