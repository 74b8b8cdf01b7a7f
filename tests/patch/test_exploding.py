"""Descriptions made to cost many times their length are refused for little, in well under a second."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.patch.mutations import join

READ = """
import io, sys, time
from editkit.errors import PatchError
from editkit.patch.reader import read

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

content = sys.stdin.buffer.read()
before, began = peak(), time.process_time()
try:
    read(io.BytesIO(content), len(content))
except PatchError as error:
    print(error)
print(time.process_time() - began)
print(peak() - before)
"""
DIGEST = "a" * 64
COUNT = 60_000
BOMBS = {
    "empty entries": {"entries": "[" + "{                              }," * COUNT + "{}]"},
    "entries of the wrong type": {"entries": "[" + "1234567890," * COUNT + "0]"},
    "scores that are no numbers": {"scores": ",".join(f'"L{n}.N1":""' for n in range(COUNT))},
    "scores of no neuron": {"scores": ",".join(f'"{n}":0.5' for n in range(COUNT))},
    "words that are none": {"edits": "1234567890," * COUNT + "0"},
    "dense settings": {"settings": "[[[]]]," * COUNT + "0"},
    "long settings": {"settings": "1.0625," * COUNT + "0"},
    "settings in settings": {
        "settings": '{"a":{"b":{"c":"0123456789012345678901234567890"}}},' * COUNT + "0"
    },
    "fields nobody knows": {"more": ",".join(f'"field {n}":1' for n in range(COUNT))},
}


def description(
    entries: str = "[]", scores: str = "", edits: str = "", settings: str = "", more: str = '"version":1'
) -> str:
    base = f'"base":{{"config_digest":"{DIGEST}","dtype":"F32","id":"a/b","revision":null}}'
    locate = f'"locate":{{"name":"x","settings":{{"a":[{settings}]}}}}'
    rest = f'"recipe_digest":"{DIGEST}","scores":{{}},"seed":0,"solve":{{"name":"y","settings":{{}}}}'
    how = f'"accepted":null,"edits":[{edits}],{locate},"neuron_scores":{{{scores}}},{rest},"versions":{{}}'
    version = "" if "version" in more else ',"version":1'
    return f'{{{base},"entries":{entries},"provenance":{{{how}}},{more}{version}}}'


def read_alone(text: str) -> tuple[bytes, list[str]]:
    """The file, and what a process of its own says of it: sentence, seconds, memory in kB. Not all of the
    memory is Python's, so that tracemalloc would not see it."""
    header = {"__metadata__": {"editkit": text}}
    header_text = json.dumps(header, separators=(",", ":")).encode()
    content = join(header_text + b" " * (-len(header_text) % 8), b"")
    done = subprocess.run([sys.executable, "-c", READ], input=content, capture_output=True, check=True)
    return content, done.stdout.decode().splitlines()


def test_the_description_they_are_made_from_is_right() -> None:
    assert len(read_alone(description())[1]) == 2


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_explode_is_refused(name: str) -> None:
    content, (said, seconds, peak) = read_alone(description(**BOMBS[name]))
    assert len(said) < 200
    assert float(seconds) < 1
    assert int(peak) * 1024 < 80 * len(content) + 2_000_000
