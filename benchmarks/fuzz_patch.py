"""Forge patches, checkpoints' headers, manifests and recipes, guided by the code that they reach.

    make fuzz                                                # five minutes
    python benchmarks/fuzz_patch.py -max_total_time=3600     # libFuzzer's own options

Needs `pip install -e ".[fuzz]"`. Anything but the one error a reader may raise, a sentence that can't be
printed, a file that is accepted and written back otherwise, or a second without an answer is a crash, and the
input is kept in the working folder as `crash-...` or `timeout-...`.
"""

from __future__ import annotations

import io
import struct
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["editkit"]):
    from editkit.checkpoint.strict import strict_json
    from editkit.checkpoint.tensorfile import read_header
    from editkit.errors import PatchError, RecipeError
    from editkit.patch.format import Base
    from editkit.patch.manifest import MANIFEST, File, Manifest
    from editkit.patch.reader import read
    from editkit.patch.writer import pieces
    from editkit.recipe import parse_recipe

ROOT = Path(__file__).parents[1]
FOLDER = Path(tempfile.mkdtemp(prefix="editkit-fuzz-"))
GOLDEN = (ROOT / "tests" / "patch" / "golden" / "v1.editkit.safetensors").read_bytes()
LENGTH = int.from_bytes(GOLDEN[:8], "little")


def packed(header: bytes, data: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def told(error: Exception) -> None:
    if not all(line.isprintable() for line in str(error).splitlines()):
        raise AssertionError(ascii(str(error)))


def patch(content: bytes) -> None:
    """A whole file."""
    try:
        found = read(io.BytesIO(content), len(content))
    except PatchError as error:
        told(error)
    else:
        assert b"".join(pieces(found)) == content


def header(content: bytes) -> None:
    """A header whose length fits."""
    patch(packed(content, GOLDEN[8 + LENGTH :]))


def description(content: bytes) -> None:
    """A description in a header that fits."""
    text = content.decode("utf-8", "replace").replace("\\", "\\\\").replace('"', '\\"')
    start = GOLDEN[8 : 8 + LENGTH].index(b'{"editkit":"') + len(b'{"editkit":"')
    end = GOLDEN[8 : 8 + LENGTH].index(b'"},', start)
    header(GOLDEN[8 : 8 + start] + text.encode() + GOLDEN[8 + end : 8 + LENGTH])


def tensors(content: bytes) -> None:
    """The header of a checkpoint's file."""
    whole = packed(content, bytes(64))
    try:
        read_header(io.BytesIO(whole), Path("x"), len(whole))
    except ValueError as error:
        told(error)


def manifest(content: bytes) -> None:
    """An `editkit.json`."""
    (FOLDER / MANIFEST).write_bytes(content)
    try:
        assert Manifest.read(FOLDER).to_json().encode() == content
    except PatchError as error:
        told(error)


def recipe(content: bytes) -> None:
    """A recipe."""
    try:
        parse_recipe(content.decode("utf-8", "replace"))
    except RecipeError as error:
        told(error)


def json_alone(content: bytes) -> None:
    """JSON of any kind."""
    try:
        strict_json(content)
    except ValueError as error:
        told(error)


TARGETS = (patch, header, description, tensors, manifest, recipe, json_alone)


def one(data: bytes) -> None:
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


def seeds(folder: Path) -> None:
    start = GOLDEN.index(b'{"editkit":"') + len(b'{"editkit":"')
    text = GOLDEN[start : GOLDEN.index(b'"},', start)].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
    contents = [
        GOLDEN,
        GOLDEN[8 : 8 + LENGTH],
        text,
        b'{"a":{"dtype":"U8","shape":[64],"data_offsets":[0,64]}}',
    ]
    base = Base("a/b", None, "F32", "a" * 64)
    contents.append(Manifest(1, "merged", base, (), {"x": File(1, "b" * 64)}).to_json().encode())
    contents.append((ROOT / "recipes" / "redact.yaml").read_bytes())
    contents.append(text)
    for number, content in enumerate(contents):
        (folder / str(number)).write_bytes(bytes([number]) + content)


if __name__ == "__main__":
    seeds(FOLDER)
    options = ["-timeout=1", "-rss_limit_mb=2048", "-max_len=20000", *sys.argv[1:]]
    atheris.Setup([sys.argv[0], str(FOLDER), *options], one)
    atheris.Fuzz()
