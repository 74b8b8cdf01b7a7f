"""Pictures of the demo world as a recipe's inputs."""

from __future__ import annotations

import io

from PIL import Image

from editkit.demo import sets, world
from editkit.plan import Picture


def picture(name: str, scene: world.Scene) -> Picture:
    """A scene, drawn and encoded as PNG."""
    stream = io.BytesIO()
    Image.fromarray(world.draw(scene)).save(stream, format="PNG")
    return Picture(name, stream.getvalue(), frozenset(scene.kinds))


def pictures(name: str, count: int, seed: int) -> list[Picture]:
    """The first `count` pictures of a set of the demo world."""
    return [
        picture(f"{name}-{index:04d}.png", scene)
        for index, scene in enumerate(sets.scenes(name, count, seed))
    ]
