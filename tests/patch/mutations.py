"""Forged files: bytes of honest ones, changed by structure and by bytes.

JSON is held as a tree that can say what Python's dictionaries can't: keys that stand twice, and raw text.
"""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

Draw = Any


@dataclass
class Table:
    """A JSON object: its pairs in order."""

    pairs: list[list[Any]]


@dataclass
class Raw:
    """Text that stands in the JSON as it is."""

    text: str


NAMES: Final = (
    "", "..", "../../etc/passwd", "/etc/passwd", "C:\\x", "a\0b", "\x1b[2J\x1b]0;x\x07", "\u202egnp.exe",
    "\u2028", "\ud800", "\ufeff", "\U0001f600", "e\u0301", "0.neurons", "__metadata__",
    "x" * 5000, " ", "\n", "0",
)  # fmt: skip
VALUES: Final = (
    *NAMES, None, True, False, 0, 1, -1, 2, 3, 7, 10**9, 2**31, 2**53 + 1, 2**63 - 1, 2**63,
    -(2**63), 10**400,
    0.0, -0.0, 0.5, 1e-320, 1e308, [], [0], [1, 1], [10**9, 10**9], [-1, 8], [0, 0], [2**63, 2**63 + 8],
    [True, 8], [2.0], [1] * 40, "BF16", "F32", "I64", "U8", "F4", "BF17", "rows", "columns", "a" * 64,
    "A" * 64,
    Table([]), Table([["a", 1], ["a", 2]]),
    Table([["dtype", "U8"], ["shape", [0]], ["data_offsets", [0, 0]]]),
    Raw("NaN"), Raw("-Infinity"), Raw("1e999"), Raw("01"), Raw("1."), Raw("'a'"), Raw("[" * 300), Raw(""),
    Raw("[" * 99 + "]" * 99), Raw('{"a":' * 90 + "1" + "}" * 90), Raw("1" * 5000), Raw('"\\ud800"'),
    Raw('"\\u0000"'), Raw("[" + "{}," * 500 + "{}]"), Raw("0.1e1"), Raw("-0"), Raw("/**/1"), Raw("1e-400"),
)  # fmt: skip
WORDS: Final = (
    0, 1, 2**63, 2**63 - 1, 2**64 - 1, 2**32, 0x7F80_0000, 0x7FC0_0000_7FC0_0000, 0x7F80_7F80_7F80_7F80,
    0xFFFF_FFFF_FFFF_FFF8, 100_000_001, 16_777_217,
)  # fmt: skip


def parse(text: bytes | str) -> Any:
    return json.loads(text, object_pairs_hook=lambda pairs: Table([list(pair) for pair in pairs]))


def dump(node: Any, ascii_only: bool = True) -> str:
    if isinstance(node, Raw):
        return node.text
    if isinstance(node, Table):
        inner = (f"{json.dumps(k, ensure_ascii=ascii_only)}:{dump(v, ascii_only)}" for k, v in node.pairs)
        return "{" + ",".join(inner) + "}"
    if isinstance(node, list):
        return "[" + ",".join(dump(one, ascii_only) for one in node) + "]"
    return json.dumps(node, ensure_ascii=ascii_only)


def slots(node: Any) -> list[tuple[Any, int]]:
    """Every place of the tree: `(list or pair, index)`."""
    found: list[tuple[Any, int]] = []
    inner = node.pairs if isinstance(node, Table) else node if isinstance(node, list) else []
    for at, one in enumerate(inner):
        holder, index = (one, 1) if isinstance(node, Table) else (inner, at)
        found.append((holder, index))
        found.extend(slots(holder[index]))
    return found


def tables(node: Any) -> list[Table]:
    found = [node] if isinstance(node, Table) else []
    inner = (
        [pair[1] for pair in node.pairs]
        if isinstance(node, Table)
        else node
        if isinstance(node, list)
        else []
    )
    return found + [table for one in inner for table in tables(one)]


def change_tree(draw: Draw, tree: Any) -> None:
    """One place of a tree: another value, or a key lost, doubled, renamed, moved or put in."""
    kind = draw(st.integers(0, 9))
    everywhere = slots(tree)
    if kind < 6 and everywhere:
        holder, index = draw(st.sampled_from(everywhere))
        if kind < 5:
            holder[index] = deepcopy(draw(st.sampled_from(VALUES)))
        else:
            other, at = draw(st.sampled_from(everywhere))
            holder[index] = deepcopy(other[at])
        return
    full = [table for table in tables(tree) if table.pairs]
    if not full:
        return
    pairs = draw(st.sampled_from(full)).pairs
    at = draw(st.integers(0, len(pairs) - 1))
    if kind == 6:
        del pairs[at]
    elif kind == 7:
        pairs.append(deepcopy(pairs[at]))
    elif kind == 8:
        pairs[at][0] = draw(st.sampled_from(NAMES))
    else:
        pairs.insert(at, [draw(st.sampled_from(NAMES)), deepcopy(draw(st.sampled_from(VALUES)))])


def change_bytes(draw: Draw, content: bytes, other: bytes) -> bytes:
    """Bits turned, bytes cut, put in or doubled, or the end of another file."""
    forged = bytearray(content)
    at = draw(st.integers(0, max(0, len(forged) - 1)))
    length = draw(st.integers(1, 40))
    match draw(st.integers(0, 6)):
        case 0 if forged:
            forged[at] ^= 1 << draw(st.integers(0, 7))
        case 1:
            del forged[at : at + length]
        case 2:
            forged[at:at] = draw(st.binary(min_size=1, max_size=40))
        case 3:
            forged[at:at] = forged[at : at + length]
        case 4:
            forged[at:] = other[draw(st.integers(0, len(other))) :]
        case 5:
            forged = forged[:at]
        case _:
            forged[at : at + 8] = struct.pack("<Q", draw(st.sampled_from(WORDS)))
    return bytes(forged)


def join(header: bytes, data: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def split(content: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(content[:8], "little")
    return content[8 : 8 + length], content[8 + length :]


@st.composite
def forged_tensor_files(draw: Draw, honest: tuple[bytes, ...], inner: str | None = None) -> bytes:
    """A safetensors file forged in its header, in the JSON text under the metadata key `inner`, in its bytes.

    Lengths are made to fit again, most times: a forger would.
    """
    content = draw(st.sampled_from(honest))
    for _ in range(draw(st.integers(1, 3))):
        how = draw(st.integers(0, 7))
        try:
            text, data = split(content)
            tree = parse(text.decode())
            spaces = b" " * (len(text) - len(text.rstrip(b" ")))
            document = next(v for k, v in tree.pairs if k == "__metadata__").pairs[0][1] if inner else None
            within = parse(document) if inner else None
        except (ValueError, IndexError, AttributeError, StopIteration, TypeError, RecursionError):
            how = 7
        if how < 4 and inner:
            change_tree(draw, within)
            next(v for k, v in tree.pairs if k == "__metadata__").pairs[0][1] = dump(within)
        elif how < 6:
            change_tree(draw, tree)
        if how < 6:
            plain = draw(st.integers(0, 9)) == 0
            header = dump(tree, not plain).encode("utf-8", "surrogatepass").rstrip(b" ")
            header += b" " * (-len(header) % 8) if draw(st.integers(0, 9)) else spaces
            if draw(st.integers(0, 29)) == 0:
                header = b"\xef\xbb\xbf" + header
            content = join(header, data)
        elif how == 6 and len(data) >= 8:
            at = draw(st.integers(0, len(data) // 8 - 1)) * 8
            word = struct.pack("<Q", draw(st.sampled_from(WORDS)))
            content = join(text, data[:at] + word + data[at + 8 :])
        else:
            content = change_bytes(draw, content, draw(st.sampled_from(honest)))
    return content


@st.composite
def forged_json(draw: Draw, honest: bytes) -> bytes:
    """A JSON file forged in its values, keys or bytes; every other time in the layout it would have."""
    if draw(st.integers(0, 4)) == 0:
        return change_bytes(draw, honest, honest)
    tree = parse(honest)
    for _ in range(draw(st.integers(1, 3))):
        change_tree(draw, tree)
    text = dump(tree, draw(st.booleans()))
    if draw(st.booleans()):
        with suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    return text.encode("utf-8", "surrogatepass")
