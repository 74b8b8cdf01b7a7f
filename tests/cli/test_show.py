from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent.parent / "patch" / "golden" / "v1.editkit.safetensors"


def test_a_patch_for_scripts(call: Any) -> None:
    document = call("--json", "show", GOLDEN).document
    assert document["status"] == "done"
    assert document["base"]["id"] == "demo/scenes"
    assert sum(module["rows"] for module in document["modules"]) == len(document["neurons"])
    assert all(neuron["ratio"] >= 0 for neuron in document["neurons"])
    assert document["scores"]["efficacy"]["after"] == 1.0
    assert document["accepted"] is True
    assert document["locate"]["method"] == "contribution"


def test_a_patch_for_people(call: Any) -> None:
    answer = call("show", GOLDEN)
    assert answer.code == 0
    for words in ("base     demo/scenes", "verdict  accepted", "efficacy", "change / row norm", "locate"):
        assert words in answer.out


@pytest.mark.parametrize("content", [None, b"", b"no patch at all"])
def test_what_is_no_patch_is_one_sentence(call: Any, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "p.safetensors"
    if content is not None:
        file.write_bytes(content)
    answer = call("show", file)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("error: ")
    assert len(answer.err.splitlines()) == 1
