"""What can be read in a file: its text, also where it is escaped; of safetensors files the header alone."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from editkit.checkpoint.tensorfile import LONGEST_HEADER

BLOCK_BYTES: Final = 1 << 20
OVERLAP_BYTES: Final = 4096  # no phrase is longer
LEAST_RUN: Final = 6  # shorter ones are what noise looks like
RUN: Final = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ufffd]{{{LEAST_RUN},}}")
ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def texts(path: Path) -> Iterator[tuple[str, int]]:
    """Texts of a file and the number of lines before each; binary files give their printable runs.

    A file is read a block at a time, so memory stays flat.

    Raises:
        OSError: it can't be read.
    """
    lines, rest = 0, b""
    with path.open("rb") as stream:
        if path.suffix == ".safetensors":
            length = min(int.from_bytes(stream.read(8), "little"), LONGEST_HEADER)
            blocks = [stream.read(length)]
        else:
            blocks = iter(lambda: stream.read(BLOCK_BYTES), b"")  # type: ignore[assignment]  # one of both
        for block in blocks:
            whole = rest + block
            for text in _decoded(whole):
                yield from ((view, lines) for view in _views(text))
            rest = whole[-OVERLAP_BYTES:]
            lines += whole.count(b"\n") - rest.count(b"\n")


def _decoded(block: bytes) -> Iterator[str]:
    if block.startswith(UTF16):
        yield block.decode("utf-16", "replace")
        return
    text = block.decode("utf-8", "replace")
    # A block may begin and end within a character.
    if "\0" not in text and "\ufffd" not in text[4:-4]:
        yield text
        return
    yield "\n".join(RUN.findall(text))
    if "\0" in text:  # every second byte, in UTF-16
        yield "\n".join(RUN.findall(block.replace(b"\0", b"").decode("utf-8", "replace")))


def _views(text: str) -> Iterator[str]:
    """The text, and what it says to who undoes escapes of JSON, YAML, Python or HTML; lines stay lines."""
    yield text
    for _ in range(3):  # JSON in JSON, as in a patch
        plain = ESCAPE.sub(_unescaped, text) if "\\" in text else text
        if plain == text:
            break
        yield (text := plain)
    if "&" in text:
        yield html.unescape(text)


def _unescaped(found: re.Match[str]) -> str:
    if digits := found[1] or found[2]:
        return chr(int(digits, 16))
    return " " if found[3] in "nrtbfv" else found[3]
