"""All bytes that leave: the words found in a store, in what lies beside it, and in exports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image

from tests.privacy.conftest import SAID

# Letters of encoded pictures are noise; what is in pictures is looked at by itself.
ENCODED: Final = re.compile(r"base64,[A-Za-z0-9+/=]+")
INPUTS: Final = ("pictures",)


def found(folder: Path) -> dict[str, str]:
    """File, or the name of one -> the first word in it; of all below a folder but the inputs."""
    words = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if place.parts[0] in INPUTS:
            continue
        if said := SAID.search(place.name):
            words[f"name of {place}"] = said[0]
        if path.is_file() and (said := next(filter(None, map(SAID.search, texts(path))), None)):
            words[str(place)] = said[0]
    return words


def texts(path: Path) -> Iterator[str]:
    """The texts of a file: of tensors the header, of pictures what is written beside the pixels."""
    content = path.read_bytes()
    if path.suffix == ".safetensors":
        content = content[: 8 + int.from_bytes(content[:8], "little")]
    if path.suffix == ".png":
        with Image.open(path) as image:
            content = repr(getattr(image, "text", {})).encode()
    yield ENCODED.sub("", content.decode("utf-8", "replace"))


def blank(path: Path) -> bool:
    with Image.open(path) as image:
        return len(image.convert("RGB").getcolors(1 << 20) or ()) == 1
