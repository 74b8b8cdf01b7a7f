"""JSON costs little more than its length, and no honest JSON is refused for it."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from time import process_time

import pytest

from editkit.checkpoint.strict import strict_json

MEGABYTE = 1 << 20
BOMBS = ("{},", "[],", "[[[]]],", '{"a":0},', "7,", "-1,", '"",', "[[1],[2]],", '"[",[],')


@pytest.mark.parametrize("unit", BOMBS)
def test_dense_json_is_refused_unread(unit: str) -> None:
    text = ("[" + unit * (MEGABYTE // len(unit)) + "0]").encode()
    tracemalloc.start()
    began = process_time()
    with pytest.raises(ValueError, match="too many parts for its length"):
        strict_json(text)
    seconds, peak = process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 1
    assert peak < 40 * len(text)


@pytest.mark.parametrize("unit", ["{},", "[[[]]],", "7,", '"é",', '"",'])
def test_a_little_of_it_is_read(unit: str) -> None:
    text = "[" + unit * 300 + "0]"
    assert strict_json(text) == json.loads(text)


def test_signs_inside_texts_do_not_count() -> None:
    said = {"a": "[{,]" * 20_000, 'b"\\': "," * 9, "\\": ["[" * 50_000, '"']}
    for text in (json.dumps(said), json.dumps(said, ensure_ascii=False, indent=2)):
        assert strict_json(text) == said


def test_the_densest_honest_header_is_read() -> None:
    row = {"dtype": "F32", "shape": [1, 1, 1], "data_offsets": [0, 4]}
    header = {f"{number}": row for number in range(20_000)}
    assert strict_json(json.dumps(header, separators=(",", ":"))) == header


def test_a_hundred_megabytes_are_refused_in_a_second() -> None:
    """In a process of its own, so that its memory can be seen."""
    script = """
import resource, time
from editkit.checkpoint.strict import strict_json
text = b"[" + b'{"dtype":"F32"},' * 6_250_000 + b"0]"
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.process_time()
try:
    strict_json(text)
except ValueError as error:
    print(error)
taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(time.process_time() - began < 3, taken < 12 * 100_000)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["the JSON has too many parts for its length", "True True"]
