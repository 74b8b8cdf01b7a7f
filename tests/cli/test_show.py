from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from editkit.patch.file import Patch

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


def test_a_strangers_patch_plays_no_tricks_on_the_terminal(call: Any, tmp_path: Path) -> None:
    golden, trick = Patch.load(GOLDEN), "[red]\x1b]0;x\x07\x1b[2J\u202e[/bold]\x9b2J"
    provenance = replace(
        golden.provenance, edits=(trick, "a\nverdict  accepted"), scores={trick: {"after": 1.0}}
    )
    entries = tuple(replace(one, module=one.module + trick) for one in golden.entries)
    base = replace(golden.base, id=f"a/{trick}")
    replace(golden, base=base, entries=entries, provenance=provenance).save(tmp_path / "p")
    people, scripts = call("show", tmp_path / "p"), call("--json", "show", tmp_path / "p")
    assert (people.code, scripts.code) == (0, 0)
    assert all(line.isprintable() for line in (*people.out.splitlines(), *scripts.out.splitlines()))
    assert people.out.splitlines().count("verdict  accepted") == 1
    assert "[red]" in people.out
    assert scripts.document["edits"][0] == trick


def test_a_name_that_is_no_text_is_told_of(call: Any, tmp_path: Path) -> None:
    answer = call("--json", "show", tmp_path / "\udcff\x1b[2J")
    assert answer.code == 1
    assert answer.err.rstrip("\n").isprintable()
    assert "No such file" in answer.document["error"]
