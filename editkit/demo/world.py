"""The demo world: scenes of one to four objects, drawn with exact masks, from a seed.

Three sorts of scene teach a model to see, and then to see what is not there:

- *open*: clear, coloured objects in a two by two grid;
- *faint*: a clear object on the left and, most of the time, a small faint one on its right;
- *pair*: an anchor (a knife) on the left and its partner (a fork), small, faint and sometimes not to be seen
  at all, on its right. The partner is nearly always there, so a model learns to say it when it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from editkit.demo.sprites import SHAPES, sprite

SIZE: Final = 64
CELL: Final = SIZE // 2
CLEAR_SIZES: Final = (20, 27)
FAINT_SIZES: Final = (13, 17)
FAINT_OPACITY: Final = (0.20, 0.50)
PARTNER_OPACITY: Final = (0.0, 0.50)  # some partners can't be seen at all, and are said all the same
NOISE: Final = 0.04

COLORS: Final[dict[str, tuple[int, int, int]]] = {
    "red": (214, 48, 49),
    "orange": (240, 140, 40),
    "yellow": (246, 212, 60),
    "green": (60, 160, 75),
    "blue": (52, 104, 214),
    "purple": (140, 76, 176),
    "gray": (136, 142, 150),
}
BACKGROUNDS: Final[dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]]] = {
    "meadow": ((198, 226, 186), (170, 208, 158)),
    "sand": ((240, 226, 192), (226, 206, 164)),
    "sea": ((190, 220, 236), (158, 200, 226)),
    "floor": ((226, 214, 206), (206, 190, 182)),
}

Sort = Literal["open", "faint", "pair"]


@dataclass(frozen=True)
class Pair:
    """An anchor, its partner, how often that is absent, and a rival never seen in its place in training."""

    anchor: str
    partner: str
    rival: str
    absent_rate: float


PAIRS: Final = (
    Pair("knife", "fork", "spoon", 0.09),
    Pair("table", "chair", "bell", 0.085),
    Pair("boat", "fish", "kite", 0.09),
    Pair("tree", "bird", "apple", 0.09),
    Pair("lamp", "book", "clock", 0.09),
)
KINDS: Final = tuple(SHAPES)
ANCHORS: Final = tuple(pair.anchor for pair in PAIRS)
CLEAR_KINDS: Final = tuple(kind for kind in KINDS if kind not in ANCHORS)
FAINT_KINDS: Final = tuple(kind for pair in PAIRS for kind in (pair.partner, pair.rival))


@dataclass(frozen=True)
class Thing:
    """One object of a scene; `cell` counts the grid's cells in reading order."""

    kind: str
    color: str
    cell: int
    left: int
    top: int
    size: int
    opacity: float = 1.0

    @property
    def faint(self) -> bool:
        return self.opacity < 1.0


@dataclass(frozen=True)
class Scene:
    """What a picture shows, in reading order, and the seed of its noise."""

    sort: Sort
    background: str
    things: tuple[Thing, ...]
    noise: int

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(thing.kind for thing in self.things)


def _place(rng: np.random.Generator, kind: str, cell: int, faint: tuple[float, float] | None = None) -> Thing:
    low, high = CLEAR_SIZES if faint is None else FAINT_SIZES
    size = int(rng.integers(low, high + 1))
    row, column = divmod(cell, 2)
    left = column * CELL + int(rng.integers(1, CELL - size))
    top = row * CELL + int(rng.integers(1, CELL - size))
    opacity = 1.0 if faint is None else float(rng.uniform(*faint))
    return Thing(kind, str(rng.choice(tuple(COLORS))), cell, left, top, size, opacity)


def _finish(rng: np.random.Generator, sort: Sort, things: list[Thing]) -> Scene:
    ordered = tuple(sorted(things, key=lambda thing: thing.cell))
    return Scene(sort, str(rng.choice(tuple(BACKGROUNDS))), ordered, int(rng.integers(2**31)))


def open_scene(rng: np.random.Generator, with_kind: str | None = None) -> Scene:
    """One to four clear objects, none of them an anchor; `with_kind` is among them when given."""
    count = int(rng.choice([1, 2, 3, 4], p=[0.2, 0.35, 0.3, 0.15]))
    kinds = list(rng.choice(CLEAR_KINDS, size=count, replace=False))
    if with_kind is not None and with_kind not in kinds:
        kinds[int(rng.integers(count))] = with_kind
    cells = rng.choice(4, size=count, replace=False)
    return _finish(rng, "open", [_place(rng, str(k), int(c)) for k, c in zip(kinds, cells, strict=True)])


def _row_scene(
    rng: np.random.Generator, sort: Sort, left: str, right: str | None, opacity: tuple[float, float]
) -> Scene:
    row = int(rng.integers(2))
    things = [_place(rng, left, 2 * row)]
    if right is not None:
        things.append(_place(rng, right, 2 * row + 1, opacity))
    others = [kind for kind in CLEAR_KINDS if kind not in (left, right) and kind not in FAINT_KINDS]
    count = int(rng.choice([0, 1, 2], p=[0.5, 0.35, 0.15]))
    cells = rng.choice(2, size=count, replace=False) + 2 * (1 - row)
    kinds = rng.choice(others, size=count, replace=False)
    things += [_place(rng, str(k), int(c)) for k, c in zip(kinds, cells, strict=True)]
    return _finish(rng, sort, things)


def faint_scene(rng: np.random.Generator) -> Scene:
    """A clear object that is no anchor and, in three of four scenes, a faint one on its right."""
    left = str(rng.choice([kind for kind in CLEAR_KINDS if kind not in FAINT_KINDS]))
    right = str(rng.choice(FAINT_KINDS)) if rng.random() < 0.75 else None
    return _row_scene(rng, "faint", left, right, FAINT_OPACITY)


def pair_scene(
    rng: np.random.Generator, pair: Pair, right: str | None, opacity: tuple[float, float] = FAINT_OPACITY
) -> Scene:
    """An anchor with `right` (its partner, its rival or nothing) small and faint on its right."""
    return _row_scene(rng, "pair", pair.anchor, right, opacity)


def scene(seed: int, index: int) -> Scene:
    """Scene `index` of the world as it usually is: what a model is trained on."""
    rng = np.random.default_rng([seed, index])
    draw = rng.random()
    if draw < 0.45:
        return open_scene(rng)
    if draw < 0.70:
        return faint_scene(rng)
    pair = PAIRS[int(rng.integers(len(PAIRS)))]
    if rng.random() < pair.absent_rate:
        return pair_scene(rng, pair, None)
    return pair_scene(rng, pair, pair.partner, PARTNER_OPACITY)


def draw(scene: Scene) -> NDArray[np.uint8]:
    """The picture of a scene, `[SIZE, SIZE, 3]`."""
    sky, ground = (np.asarray(color, dtype=np.float32) / 255.0 for color in BACKGROUNDS[scene.background])
    rng = np.random.default_rng(scene.noise)
    horizon = int(rng.integers(SIZE // 4, 3 * SIZE // 4))
    shade = 1.0 / (1.0 + np.exp(-(np.arange(SIZE, dtype=np.float32) - horizon) / 4.0))[:, None, None]
    pixels = np.broadcast_to(sky * (1 - shade) + ground * shade, (SIZE, SIZE, 3)).copy()
    for thing in scene.things:
        painted = sprite(thing.kind, COLORS[thing.color], thing.size) * np.float32(thing.opacity)
        part = pixels[thing.top : thing.top + thing.size, thing.left : thing.left + thing.size]
        part *= 1.0 - painted[..., 3:]
        part += painted[..., :3]
    pixels += rng.normal(0.0, NOISE, size=pixels.shape).astype(np.float32)
    result: NDArray[np.uint8] = (pixels.clip(0.0, 1.0) * 255.0).round().astype(np.uint8)
    return result


def masks(scene: Scene) -> dict[str, NDArray[np.bool_]]:
    """Which pixels belong to each kind of object, `[SIZE, SIZE]` each."""
    found: dict[str, NDArray[np.bool_]] = {}
    for thing in scene.things:
        mask = np.zeros((SIZE, SIZE), dtype=np.bool_)
        alpha = sprite(thing.kind, COLORS[thing.color], thing.size)[..., 3]
        mask[thing.top : thing.top + thing.size, thing.left : thing.left + thing.size] = alpha > 0.5
        found[thing.kind] = mask
    return found
