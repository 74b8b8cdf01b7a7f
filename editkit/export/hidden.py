"""Words that an export must not spell out: whose they are, and a recipe with them masked."""

from __future__ import annotations

import re
from typing import Any, Final

from editkit.patch.file import Patch
from editkit.patch.words import OMITTED, Privacy, kept_key, key_for
from editkit.privacy.hidden import Hidden, words_of
from editkit.privacy.recipes import shown
from editkit.recipe import Recipe
from editkit.recipe.yaml import write_yaml

HASHED: Final = re.compile(r"hmac-([0-9a-f]{16})")
LEVELS: Final[tuple[Privacy, ...]] = ("plain", "hash", "omit")


def hidden(patch: Patch, recipe: Recipe | None = None) -> Hidden:
    """What a patch, or the recipe it was made from, wants hidden; the stricter of the two counts.

    Raises:
        OutputError, UsageError: the key for masked words can't be had.
    """
    edits = "\n".join(patch.provenance.edits)
    hashes = tuple(dict.fromkeys(HASHED.findall(edits)))
    how: Privacy = "omit" if OMITTED in edits else "hash" if hashes else "plain"
    words: tuple[str, ...] = ()
    if recipe is not None:
        how = max(how, recipe.track.privacy.published, key=LEVELS.index)
        words = words_of(recipe)
    if how == "plain":
        return Hidden("plain")
    return Hidden(how, words, hashes, key_for(how) if words else kept_key())


def shown_recipe(recipe: Recipe, patch: Patch, secret: Hidden) -> str:
    """A recipe as others may see it: words masked, places on this machine left out, defaults too."""
    document = recipe.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    document.pop("track", None)
    document.pop("export", None)
    document["model"] = {**document["model"], "id": patch.base.id, "revision": patch.base.revision}
    masked: dict[str, Any] = shown(document, recipe, secret)
    first: dict[str, Any] = {key: masked.pop(key) for key in ("version", "name") if key in masked}
    return write_yaml({"version": recipe.version, **first, **masked})
