"""A recipe as plain data that others may see: words masked, files of this machine not named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from editkit.privacy.hidden import Hidden
from editkit.recipe import Recipe

FILES: Final = ("folder", "masks", "boxes", "coco", "images", "file", "files", "pairs", "perplexity", "cache")
LOCAL: Final = "[a local file]"


def shown(value: Any, recipe: Recipe, secret: Hidden, key: str = "") -> Any:
    """A part of a recipe's document; its items are taken for `key`'s where it is a list of files."""
    if isinstance(value, Mapping):
        return {name: shown(item, recipe, secret, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [shown(item, recipe, secret, key if key in FILES else "") for item in value]
    if not isinstance(value, str) or value == "auto":
        return value
    return LOCAL if key in FILES or (key and _local(value, recipe)) else secret.masked(value)


def _local(text: str, recipe: Recipe) -> bool:
    if text.startswith(("/", "~", "./", "../")) or "\\" in text:
        return True
    try:
        return "/" in text and not text.startswith("demo/") and recipe.resolve(text).exists()
    except (OSError, ValueError, RuntimeError):  # text that no path can be
        return False
