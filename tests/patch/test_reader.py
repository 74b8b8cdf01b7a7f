"""Every byte is hostile: what is no patch is refused in one sentence, and nothing but PatchError leaves."""

from __future__ import annotations

import json
import os
import random
import struct
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from editkit.errors import PatchError
from editkit.patch.file import Patch
from editkit.patch.format import Contents

Read = Callable[[bytes], Contents]


@pytest.fixture(scope="module")
def good(patch: Patch, to_bytes: Callable[[Contents], bytes]) -> bytes:
    return to_bytes(patch)


def split(content: bytes) -> tuple[Any, bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def join(header: Any, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def with_document(content: bytes, change: Callable[[Any], object]) -> bytes:
    header, data = split(content)
    document = json.loads(header["__metadata__"]["editkit"])
    change(document)
    header["__metadata__"]["editkit"] = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return join(header, data)


def test_splitting_and_joining_is_the_identity(good: bytes) -> None:
    assert join(*split(good)) == good == with_document(good, lambda document: None)


HEADERS: list[tuple[Callable[[Any], object], str]] = [
    (lambda h: h.pop("__metadata__"), "one key"),
    (lambda h: h.update(__metadata__={}), "one key"),
    (lambda h: h["__metadata__"].update(format="pt"), "one key"),
    (lambda h: h.update(__metadata__={"peft": "{}"}), "one key"),
    (lambda h: h["0.edited"].update(dtype="F16"), "contradict|NaN|not written|not F16|not BF16"),
    (lambda h: h["0.edited"].update(dtype="U16"), "dtype U16, which no patch has"),
    (lambda h: h["0.edited"].update(dtype="BF17"), "unknown dtype"),
    (lambda h: h["0.edited"].update(shape=[3, 2]), r"not BF16 \[2, 3\]"),
    (lambda h: h["0.neurons"].update(shape=[2, 1]), "no list of int64"),
    (lambda h: h["0.neurons"].update(dtype="F64"), "dtype F64"),
    (lambda h: h["0.neurons"].update(data_offsets=[8, 24]), "hole"),
    (lambda h: h.update({"3.neurons": h.pop("0.neurons")}), "three of each entry"),
    (
        lambda h: h.update({"extra": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}}),
        "three of each entry",
    ),
    (lambda h: h.update({"__metadata__": h.pop("__metadata__")}), "one way"),
]


@pytest.mark.parametrize(("change", "reason"), HEADERS)
def test_a_wrong_header_is_refused(
    good: bytes, from_bytes: Read, change: Callable[[Any], object], reason: str
) -> None:
    header, data = split(good)
    change(header)
    with pytest.raises(PatchError, match=reason):
        from_bytes(join(header, data))


DOCUMENTS: list[tuple[Callable[[Any], object], str]] = [
    (lambda d: d.update(version=2), "format version 2"),
    (lambda d: d["entries"][0].update(kind="low_rank"), "entries.0.kind"),
    (lambda d: d["entries"].pop(), "three of each entry"),
    (lambda d: d["entries"].append(d["entries"][2]), "three of each entry"),
    (lambda d: d["entries"].reverse(), "order of layer"),
    (lambda d: d["entries"][0].update(shape=[3, 4]), "ascending, unique and below 4"),
    (lambda d: d["entries"][0].update(shape=[-3, 8]), "not that of a matrix"),
    (lambda d: d["entries"][0].update(base_digest="x" * 64), "no SHA-256"),
    (lambda d: d["provenance"]["neuron_scores"].update(x=1.0), "no neuron"),
    (lambda d: d["provenance"]["scores"]["efficacy"].update(after=1), "one way"),
]


@pytest.mark.parametrize(("change", "reason"), DOCUMENTS)
def test_a_wrong_document_is_refused(
    good: bytes, from_bytes: Read, change: Callable[[Any], object], reason: str
) -> None:
    with pytest.raises(PatchError, match=reason):
        from_bytes(with_document(good, change))


def test_duplicate_keys_are_refused_in_both_layers(good: bytes, from_bytes: Read) -> None:
    header, data = split(good)
    once = json.dumps(header["0.edited"])
    with pytest.raises(PatchError, match="twice"):
        from_bytes(join(json.dumps(header)[:-1].encode() + b',"0.edited":' + once.encode() + b"}", data))
    document = header["__metadata__"]["editkit"]
    header["__metadata__"]["editkit"] = document[:-1] + ',"version":1}'
    with pytest.raises(PatchError, match="twice"):
        from_bytes(join(header, data))


def test_other_spellings_of_the_same_patch_are_refused(good: bytes, from_bytes: Read) -> None:
    header, data = split(good)
    document = header["__metadata__"]["editkit"]
    spaced = {**header, "__metadata__": {"editkit": document.replace(":", ": ")}}
    for other in (
        join(json.dumps(header).encode(), data),
        join(spaced, data),
        join(json.dumps(header).encode() + b" " * 8, data),
    ):
        with pytest.raises(PatchError, match="one way"):
            from_bytes(other)


@pytest.mark.parametrize("value", [0x7F80, 0xFF80, 0x7FC0])
def test_rows_of_nan_or_infinity_are_refused(good: bytes, from_bytes: Read, value: int) -> None:
    header, data = split(good)
    at = header["1.edited"]["data_offsets"][0]
    with pytest.raises(PatchError, match="NaN or infinity"):
        from_bytes(join(header, data[:at] + struct.pack("<H", value) + data[at + 2 :]))


@pytest.mark.parametrize("neurons", [[4, 1], [1, 1], [1, 8], [-1, 4], [1, 2**62]])
def test_impossible_neurons_are_refused(good: bytes, from_bytes: Read, neurons: list[int]) -> None:
    header, data = split(good)
    with pytest.raises(PatchError, match="ascending, unique and below 8"):
        from_bytes(join(header, struct.pack("<2q", *neurons) + data[16:]))


def test_every_truncation_is_refused(good: bytes, from_bytes: Read) -> None:
    for length in range(len(good)):
        with pytest.raises(PatchError):
            from_bytes(good[:length])
    with pytest.raises(PatchError):
        from_bytes(good + b"\0")


def mutated(content: bytes, draw: random.Random) -> bytes:
    """One to four bytes, slices or JSON words of the patch changed."""
    forged = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        at, length = draw.randrange(len(forged)), draw.randint(1, 40)
        match draw.randrange(7):
            case 0:
                forged[at] ^= 1 << draw.randrange(8)
            case 1:
                forged[at] = draw.choice(b'"{}[],:0123456789-eE.\\ntf\x00\xff')
            case 2:
                del forged[at : at + length]
            case 3:
                forged[at:at] = forged[draw.randrange(len(forged)) :][:length]
            case 4:
                forged[at : at + length] = draw.randbytes(length)
            case 5:
                forged[:8] = struct.pack("<Q", draw.choice([0, 1, 2**63, len(forged), draw.randrange(4000)]))
            case _:
                old = draw.choice(
                    [b"null", b"true", b"0", b"1", b'"', b"BF16", b"I64", b"rows", b"L1", b"version"]
                )
                new = draw.choice(
                    [b"null", b"-1", b"NaN", b"1e999", b"[]", b"{}", b'""', b"9" * 400, b"[" * 400]
                )
                forged = bytearray(bytes(forged).replace(old, new, 1))
    return bytes(forged)


def test_only_patch_errors_leave(
    good: bytes, from_bytes: Read, to_bytes: Callable[[Contents], bytes]
) -> None:
    draw, sentences = random.Random(0), []
    for _ in range(2000):
        forged = mutated(good, draw)
        if draw.random() < 0.5 and len(forged) > 8:
            # With the length made to fit, mutations reach further in.
            forged = (
                struct.pack("<Q", max(0, len(forged) - (len(good) - int.from_bytes(good[:8], "little"))))
                + forged[8:]
            )
        try:
            contents = from_bytes(forged)
        except PatchError as error:
            sentences.append(str(error))
        else:
            assert to_bytes(contents) == forged
    assert len(sentences) > 1500
    assert len({sentence[:40] for sentence in sentences}) > 15
    assert not any("\n" in sentence for sentence in sentences)


def peak(read: Read, content: bytes) -> int:
    """The most memory that reading takes, accepted or refused."""
    tracemalloc.start()
    try:
        with suppress(PatchError):
            read(content)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_stays_near_the_size_of_the_rows(
    patch: Patch, from_bytes: Read, to_bytes: Callable[[Contents], bytes]
) -> None:
    rows = np.zeros((8, 200_000), np.uint16)
    sized = replace(patch.entries[0], shape=(200_000, 8), neurons=np.arange(8))
    content = to_bytes(replace(patch, entries=(replace(sized, original=rows, edited=rows),)))
    assert peak(from_bytes, content) < 4 * len(content)
    assert peak(from_bytes, struct.pack("<Q", 2**40) + content) < 100_000
    assert peak(from_bytes, struct.pack("<Q", 10_000_000) + content) < 100_000


@pytest.mark.parametrize("bomb", ["[" + "[]," * 300_000 + "0]", "[" + "{}," * 300_000 + "0]", "[" * 900_000])
def test_memory_stays_bounded_when_json_explodes(good: bytes, from_bytes: Read, bomb: str) -> None:
    header, data = split(good)
    header["__metadata__"]["editkit"] = bomb
    for content in (join(header, data), join(bomb.encode(), b"")):
        assert peak(from_bytes, content) < 40 * len(content)


def test_places_that_hold_no_patch(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello, I am no patch at all")
    os.mkfifo(tmp_path / "pipe")
    for name, reason in [
        ("gone", "No such file"),
        (".", "Is a directory|not a file"),
        ("pipe", "not a file"),
        ("a\0b", "no possible file name"),
        ("text", "no patch, or a damaged one"),
    ]:
        with pytest.raises(PatchError, match=reason):
            Patch.load(tmp_path / name)
