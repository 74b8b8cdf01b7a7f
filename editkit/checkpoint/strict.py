"""JSON that nobody can misread, and that costs little more than its length."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Final

TEXTS: Final = re.compile(rb'"[^"]*"')
SIGNS: Final = b'"[{,:'
REST: Final = bytes(byte for byte in range(256) if byte not in SIGNS)


class _Refused(ValueError):
    """A sentence of ours, told apart from what the JSON parser says."""


@dataclass(frozen=True)
class Density:
    """How many parts JSON may have for its length: a few bytes of it can become hundreds in memory.

    Attributes:
        bytes_per_container: how far apart lists and tables stand, on average, beyond the first thousand; in a
            header of tensors, the densest that is written, it is 18 bytes.
        bytes_per_item: the same of all values, beyond the first ten thousand.
        most_items: what is read in less than a second.
    """

    bytes_per_container: int = 16
    bytes_per_item: int = 4
    most_items: int = 600_000

    def check(self, text: bytes) -> None:
        """ValueError where it has more."""
        # What stands inside texts counts only where it has to: leaving it out takes longer.
        if self._exceeded(text, len(text)):
            signs = _signs(text)
            many = signs.count(b'"') > 4 * self.most_items
            if many or self._exceeded(TEXTS.sub(b"", signs), len(text)):
                raise _Refused("the JSON has too many parts for its length")

    def _exceeded(self, code: bytes, length: int) -> bool:
        containers = min(1_000 + length // self.bytes_per_container, self.most_items)
        items = min(10_000 + length // self.bytes_per_item, self.most_items)
        return code.count(b"[") + code.count(b"{") > containers or code.count(b",") > items


def _signs(text: bytes) -> bytes:
    """Brackets, commas, colons and the quotes around texts that hold such signs, all else left out."""
    escaped = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return escaped.translate(None, REST).replace(b'""', b"")


DENSITY: Final = Density()


def strict_json(text: str | bytes, density: Density = DENSITY) -> Any:
    """JSON in which every key stands once and every number is finite and fits 64 bits.

    Raises:
        ValueError: it is none, or one that would take many times its length; the text says why.
    """
    density.check(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))

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
