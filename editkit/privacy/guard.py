"""The last look at all that goes into a run: where somebody forgot a mask, it is laid over here.

Words that editkit's own pages have stay where they are: masked in sentences that everybody knows, they would
be told by what is missing.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from editkit.figures.drawn import Drawn, told
from editkit.patch.document import to_json
from editkit.patch.file import Patch
from editkit.patch.words import mask
from editkit.privacy.hidden import Hidden
from editkit.privacy.masks import BLANK, Masks
from editkit.privacy.own import WORD, own_words
from editkit.privacy.spelling import folded
from editkit.probe.words import written

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image


PICTURE: Final = re.compile(r"(;base64,[A-Za-z0-9+/=]+)")


class Guard:
    """Knows what `masks` hides."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self.hides = masks.hides

    @cached_property
    def _secret(self) -> Hidden:
        asked = self._masks.secret
        words = tuple(word for word in asked.words if own_words().isdisjoint(_said(word)))
        return Hidden(asked.how, words, (), asked.key)

    @cached_property
    def _escaped(self) -> dict[str, str]:
        """Forms as HTML, JSON and Markdown write them, where that is another way -> the mask."""
        secret, found = self._secret, {}
        for word in secret.words:
            for form in written(word):
                ways = (html.escape(form), json.dumps(form)[1:-1], re.sub(r"([^\w\s])", r"\\\1", form))
                shown = mask(word, secret.how, secret.key)
                found.update({way: shown for way in ways if way != form})
        return found

    def text(self, text: str) -> str:
        """Any text, values of params and tags; pictures in it are left as they are."""
        return (
            "".join(part if at % 2 else self._masked(part) for at, part in enumerate(PICTURE.split(text)))
            if self.hides
            else text
        )

    def _masked(self, text: str) -> str:
        for way, shown in self._escaped.items():
            if way in text:
                text = text.replace(way, shown)
        return self._secret.masked_name(text)

    def name(self, text: str) -> str:
        """Names of runs, files and metrics."""
        return self._masks.name(text) if self.hides and self._secret.in_name(text) else text

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Plain data under names of editkit's own."""
        return {key: self.data(value) for key, value in given.items()}

    def data(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self.values(value)
        return [*map(self.data, value)] if isinstance(value, list | tuple) else value

    def image(self, image: Image) -> Image:
        """A picture may show the thing: a blank one of its size."""
        from PIL import Image

        return Image.new("RGB", image.size, BLANK) if self.hides else image

    def shows(self, figure: Figure | Drawn) -> bool:
        """Whether a figure may be shown: pictures and words in it can't be masked any more."""
        if not self.hides:
            return True
        found = figure if isinstance(figure, Drawn) else told(figure)
        return not found.pictures and not any(map(self._secret.in_name, found.texts))

    def keeps(self, patch_path: Path) -> bool:
        """Whether a patch may be kept: somebody else's may spell the words."""
        pattern = self._secret.pattern
        if not self.hides or pattern is None:
            return True
        return not any(map(pattern.search, _texts(json.loads(to_json(Patch.load(patch_path))))))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield folded(value)
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _said(word: str) -> set[str]:
    """The forms of a word as `own_words` would have them; a phrase is none of those."""
    return {form.lower() for form in map(folded, written(word)) if WORD.fullmatch(form)}
