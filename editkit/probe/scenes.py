"""Pictures of the demo world as a recipe's inputs."""

from __future__ import annotations

import io
from functools import partial
from typing import Final

from PIL import Image

from editkit.demo import language, sets, world
from editkit.plan import Picture
from editkit.region import Region

KINDS: Final = frozenset(world.KINDS)


def picture(name: str, scene: world.Scene) -> Picture:
    """A scene, drawn and encoded as PNG; it knows where each kind of object is, and what is to be said."""
    stream = io.BytesIO()
    Image.fromarray(world.draw(scene)).save(stream, format="PNG")
    regions = {kind: partial(region, scene, kind) for kind in scene.kinds}
    said = (language.caption(scene),)
    return Picture(name, stream.getvalue(), frozenset(scene.kinds), regions, said, KINDS)


def region(scene: world.Scene, kind: str) -> Region:
    """The pixels of a kind of object, faint ones too."""
    return Region.of(world.masks(scene)[kind])


def pictures(name: str, count: int, seed: int) -> list[Picture]:
    """The first `count` pictures of a set of the demo world."""
    return [
        picture(f"{name}-{index:04d}.png", scene)
        for index, scene in enumerate(sets.scenes(name, count, seed))
    ]
