"""The pictures a recipe names: a folder, a glob, COCO files or the demo world."""

from __future__ import annotations

from editkit.plan import Picture
from editkit.probe import coco, folder, scenes
from editkit.recipe import CocoImages, DemoImages, Images, Recipe


def pictures(recipe: Recipe, images: Images, seed: int) -> list[Picture]:
    """All pictures, each checked to be one.

    Raises:
        InputError: a folder, file or annotation that is not there or not readable.
    """
    if isinstance(images, DemoImages):
        return scenes.pictures(images.demo, images.count, seed if images.seed is None else images.seed)
    if isinstance(images, CocoImages):
        found = coco.pictures(recipe.resolve(images.coco), recipe.resolve(images.images), images.count)
    else:
        found = folder.pictures(recipe, images)
    for picture in found:
        picture.open()
    return found
