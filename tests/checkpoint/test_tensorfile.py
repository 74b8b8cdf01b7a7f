"""A forged header is refused with a sentence, and an honest one reads as safetensors' own reader reads it."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from editkit.checkpoint.strict import strict_json
from editkit.checkpoint.tensorfile import pieces, read_header

GOOD: dict[str, Any] = {
    "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
    "b": {"dtype": "U8", "shape": [4], "data_offsets": [8, 12]},
}


def packed(header: str | bytes, data: bytes) -> bytes:
    text = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(text)) + text + data


def parse(content: bytes, longest: int = 10_000_000) -> Any:
    return read_header(io.BytesIO(content), Path("x"), len(content), longest)


def test_an_honest_header(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    tensors = {
        "a": torch.arange(6.0).reshape(2, 3),
        "b": torch.ones(4, dtype=torch.bfloat16),
        "c": torch.zeros(0),
    }
    save_file(tensors, file, {"k": "v"})
    with file.open("rb") as stream:
        found, metadata = read_header(stream, file, file.stat().st_size)
    assert metadata == {"k": "v"}
    with safe_open(file, "pt") as reader:
        for name in reader.keys():  # noqa: SIM118 - safe_open is no dict
            assert found[name].shape == tuple(reader.get_slice(name).get_shape())
            assert found[name].dtype == reader.get_slice(name).get_dtype()
    info, content = found["a"], file.read_bytes()
    assert content[info.start : info.end] == tensors["a"].numpy().tobytes()
    assert b"".join(pieces(info, 4, 20, 7)) == content[info.start + 4 : info.start + 20]


def test_the_good_header_is_good() -> None:
    assert set(parse(packed(json.dumps(GOOD), bytes(12)))[0]) == {"a", "b"}


BAD_TENSORS: list[tuple[dict[str, Any], str]] = [
    ({"dtype": "F33"}, "unknown dtype"),
    ({"dtype": ["F32"]}, "unknown dtype"),
    ({"shape": [3]}, "do not fit"),
    ({"shape": [2**62, 2**62, 2**62, 2**62]}, "do not fit"),
    ({"shape": [1] * 17}, "do not fit"),
    ({"shape": [-2]}, "not whole numbers"),
    ({"shape": [True, 2]}, "not whole numbers"),
    ({"shape": [2.0]}, "not whole numbers"),
    ({"shape": 2}, "not whole numbers"),
    ({"data_offsets": [0]}, "do not fit"),
    ({"data_offsets": [8, 0]}, "do not fit"),
    ({"data_offsets": [0, 8, 8]}, "do not fit"),
    ({"data_offsets": [4, 12]}, "overlaps another or leaves a hole"),
    ({"data_offsets": [8, 16]}, "overlaps another or leaves a hole"),
    ({"data_offsets": [2**60, 2**60 + 8]}, "overlaps another or leaves a hole"),
    ({"extra": 1}, "alone"),
]


@pytest.mark.parametrize(("change", "reason"), BAD_TENSORS)
def test_a_wrong_tensor_is_refused(change: dict[str, Any], reason: str) -> None:
    header = {**GOOD, "a": {**GOOD["a"], **change}}
    with pytest.raises(ValueError, match=reason):
        parse(packed(json.dumps(header), bytes(12)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "too short"),
        (b"1234567", "too short"),
        (struct.pack("<Q", 2**63) + b"{}", "claims 9,223,372,036,854,775,808 bytes"),
        (struct.pack("<Q", 3) + b"{}", "ends inside its header"),
        (packed("", b""), "can't be read"),
        (packed(b"\xff\xfe{}", b""), "can't be read"),
        (packed("[]", b""), "no JSON object"),
        (packed(" {}", b""), "no JSON object"),
        (packed("{} x", b""), "can't be read"),
        (packed('{"a":1}', b""), "alone"),
        (packed('{"__metadata__":1}', b""), "no table of texts"),
        (packed('{"__metadata__":{"k":1}}', b""), "no table of texts"),
        (packed('{"__metadata__":{"k":"1","k":"2"}}', b""), "stands there twice"),
        (packed(json.dumps(GOOD)[:-1] + ',"a":' + json.dumps(GOOD["a"]) + "}", bytes(12)), "twice"),
        (packed(json.dumps(GOOD), bytes(11)), "need"),
        (packed(json.dumps(GOOD), bytes(13)), "need"),
        (packed("[" * 1000, b""), "can't be read"),
        (packed("[" * 100_000, b""), "too many parts for its length"),
    ],
)
def test_a_wrong_file_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(content)


def test_two_tensors_never_share_bytes() -> None:
    header = {**GOOD, "b": {**GOOD["b"], "data_offsets": [4, 8]}}
    with pytest.raises(ValueError, match="overlaps"):
        parse(packed(json.dumps(header), bytes(8)))


def test_a_long_header_is_not_even_read() -> None:
    content = packed("{}" + " " * 100, b"")
    assert parse(content, 102) == ({}, {})
    with pytest.raises(ValueError, match="claims 102 bytes where 101 are allowed"):
        parse(content, 101)


def test_numbers_up_to_64_bits_are_kept() -> None:
    assert strict_json(f"[{2**63 - 1}, {-(2**63)}, 1e308]") == [2**63 - 1, -(2**63), 1e308]
    for text in (str(2**63), "-1e309", "NaN", "Infinity", "9" * 5000):
        with pytest.raises(ValueError, match="JSON number"):
            strict_json(text)


def test_a_file_that_shrinks_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(packed(json.dumps(GOOD), bytes(12)))
    with file.open("rb") as stream:
        info = read_header(stream, file, file.stat().st_size)[0]["b"]
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(OSError, match="shorter"):
        list(pieces(info, 0, 4, 100))
