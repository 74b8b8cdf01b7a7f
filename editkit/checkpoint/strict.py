"""JSON that nobody can misread, and that costs little more than its length."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

# A few bytes of JSON can become hundreds in memory. What is written here is never as dense as this: a tensor
# takes three containers and some 55 bytes of a header.
BYTES_PER_CONTAINER: Final = 16
BYTES_PER_ITEM: Final = 4
FREE: Final = 1_000
MOST_CONTAINERS: Final = 500_000
MOST_ITEMS: Final = 600_000
TEXTS: Final = re.compile(rb'"[^"]*"')
SIGNS: Final = b'"[{,:'
REST: Final = bytes(byte for byte in range(256) if byte not in SIGNS)


class _Refused(ValueError):
    """A sentence of ours, told apart from what the JSON parser says."""


def strict_json(
    text: str | bytes, bytes_per_container: int = BYTES_PER_CONTAINER, most_items: int = MOST_ITEMS
) -> Any:
    """JSON in which every key stands once and every number is finite and fits 64 bits.

    Args:
        bytes_per_container: how far apart its lists and tables stand, on average, beyond the first thousand.
        most_items: how many values may stand in its lists and tables.

    Raises:
        ValueError: it is none, or one that would take many times its length; the text says why.
    """
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    _affordable(content, bytes_per_container, most_items)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise _Refused("a JSON key stands there twice")
        return found

    def whole(digits: str) -> int:
        if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
            raise _Refused("a JSON number does not fit 64 bits")
        return int(digits)

    def finite(digits: str) -> float:
        if not math.isfinite(float(digits)):
            raise _Refused("a JSON number is not finite")
        return float(digits)

    try:
        return json.loads(
            text if isinstance(text, str) else text.decode("utf-8"),
            object_pairs_hook=once,
            parse_int=whole,
            parse_float=finite,
            parse_constant=finite,
        )
    except _Refused:
        raise
    except (ValueError, RecursionError) as error:
        raise ValueError("the JSON can't be read") from error


def _affordable(text: bytes, bytes_per_container: int, most_items: int) -> None:
    containers = min(FREE + len(text) // bytes_per_container, MOST_CONTAINERS)
    items = min(10 * FREE + len(text) // BYTES_PER_ITEM, most_items)

    def dense(code: bytes) -> bool:
        return code.count(b"[") + code.count(b"{") > containers or code.count(b",") > items

    # What stands inside texts counts only where it has to: leaving it out takes longer.
    if dense(text):
        signs = _signs(text)
        if signs.count(b'"') > 4 * most_items or dense(TEXTS.sub(b"", signs)):
            raise _Refused("the JSON has too many parts for its length")


def _signs(text: bytes) -> bytes:
    """Brackets, commas, colons and the quotes around texts that hold such signs, all else left out."""
    escaped = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return escaped.translate(None, REST).replace(b'""', b"")
