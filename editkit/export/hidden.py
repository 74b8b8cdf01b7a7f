"""Words that an export must not spell out: whose they are, and texts with them masked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from editkit.patch.file import Patch
from editkit.patch.words import OMITTED, Privacy, kept_key, key_for, mask
from editkit.probe.words import written
from editkit.recipe import Recipe
from editkit.recipe.yaml import write_yaml

HASHED: Final = re.compile(r"hmac-([0-9a-f]{16})")
LEVELS: Final[tuple[Privacy, ...]] = ("plain", "hash", "omit")
INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
FILES: Final = ("folder", "masks", "boxes", "coco", "images", "file", "pairs", "cache")
LOCAL: Final = "[a local file]"


@dataclass(frozen=True)
class Hidden:
    """What must not be published.

    Attributes:
        how: what stands there instead.
        words: as a recipe has them; empty where none was given.
        hashes: what patches say of them, 16 hex digits each.
        key: this user's, empty where there is none.
    """

    how: Privacy
    words: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    key: bytes = b""

    @property
    def blind(self) -> bool:
        """Whether there is something to hide, and nothing to know it by."""
        return self.how != "plain" and not self.words and not (self.hashes and self.key)

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        return spelled(self.words)

    def masked(self, text: str) -> str:
        """A text with every form of every word masked."""
        if self.pattern is None:
            return text
        shown = [mask(word, self.how, self.key) for word in self.words]
        return self.pattern.sub(lambda found: shown[number(found)], folded(text))


def folded(text: str) -> str:
    """Text in which equal words are equal characters: compatibility forms are one, nothing is invisible."""
    return text if text.isascii() else INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


def spelled(words: tuple[str, ...]) -> re.Pattern[str] | None:
    """Finds every written form of these words in a folded text, whole words only, in any case.

    Group n+1 is what was found of word n.
    """
    groups = []
    for word in words:
        forms = sorted({folded(form) for form in written(" ".join(word.split()))}, key=len, reverse=True)
        groups.append("(" + "|".join(_whole(form) for form in forms) + ")")
    return re.compile("|".join(groups), re.IGNORECASE) if groups else None


def number(found: re.Match[str]) -> int:
    """Which of the words a match of `spelled` is."""
    return (found.lastindex or 1) - 1


def _whole(form: str) -> str:
    """`_` parts words, as in file names; scripts without spaces have no ends of words to look for."""
    text = r"\s+".join(re.escape(part) for part in form.split(" "))
    before = r"(?<![^\W_])" if spaced(form[:1]) else ""
    return before + text + (r"(?![^\W_])" if spaced(form[-1:]) else "")


def spaced(sign: str) -> bool:
    """Whether it is a letter or a digit of a script that puts spaces between words."""
    unspaced = "\u0e00" <= sign <= "\u0eff" or "\u1000" <= sign <= "\u109f" or "\u3040" <= sign <= "\u9fff"
    return sign.isalnum() and not unspaced


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
        words = tuple(dict.fromkeys(word for edit in recipe.edits for word in (*edit.sources, *edit.targets)))
    if how == "plain":
        return Hidden("plain")
    return Hidden(how, words, hashes, key_for(how) if words else kept_key())


def shown_recipe(recipe: Recipe, patch: Patch, secret: Hidden) -> str:
    """A recipe as others may see it: words masked, places on this machine left out, defaults too."""
    document = recipe.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    document.pop("track", None)
    document.pop("export", None)
    document["model"] = {**document["model"], "id": patch.base.id, "revision": patch.base.revision}
    shown: dict[str, Any] = _shown(document, recipe, secret)
    first: dict[str, Any] = {key: shown.pop(key) for key in ("version", "name") if key in shown}
    return write_yaml({"version": recipe.version, **first, **shown})


def _shown(value: Any, recipe: Recipe, secret: Hidden, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _shown(item, recipe, secret, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_shown(item, recipe, secret) for item in value]
    if not isinstance(value, str):
        return value
    return LOCAL if key in FILES or (key and _local(value, recipe)) else secret.masked(value)


def _local(text: str, recipe: Recipe) -> bool:
    if text.startswith(("/", "~", "./", "../")) or "\\" in text:
        return True
    try:
        return "/" in text and not text.startswith("demo/") and recipe.resolve(text).exists()
    except (OSError, ValueError, RuntimeError):  # text that no path can be
        return False
