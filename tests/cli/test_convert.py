from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.cli.convert import convert
from editkit.convert import CONVERSIONS
from tests.convert import published


@pytest.fixture
def parts(tmp_path: Path) -> list[str]:
    """The options that name MiniGPT-4's parts, which lie in the working directory."""
    published.vicuna(tmp_path / "vicuna")
    torch.save(dict(published.eva()), tmp_path / "eva.pth")
    torch.save({"model": dict(published.qformer())}, tmp_path / "blip2.pth")
    torch.save({"model": dict(published.projection())}, tmp_path / "minigpt4.pth")
    names = {"vicuna": "vicuna", "projection": "minigpt4.pth", "vision": "eva.pth", "qformer": "blip2.pth"}
    return [word for name, file in names.items() for word in (f"--{name}", file)]


def test_every_conversion_has_its_command() -> None:
    assert list(convert.commands) == list(CONVERSIONS)


def test_minigpt4(call: Any, parts: list[str], tmp_path: Path) -> None:
    answer = call("convert", "minigpt4", *parts, "-o", "made")
    assert answer.code == 0, answer.err
    assert answer.out == "made: 133 tensors, 0.0 GB\n"
    assert "minigpt4.pth is a pickle: only its tensors are read (weights_only=True)" in answer.err
    assert "convert ... (133)" in answer.err
    config = json.loads((tmp_path / "made" / "config.json").read_text())
    assert (config["architectures"], config["dtype"]) == (["Blip2ForConditionalGeneration"], "float16")


def test_mplug_owl2(call: Any, tmp_path: Path) -> None:
    published.mplug_owl2(tmp_path / "released")
    answer = call("--json", "convert", "mplug-owl2", "released", "-o", "made", "--dtype", "bfloat16")
    assert answer.code == 0, answer.err
    assert answer.document == {"status": "done", "folder": "made", "tensors": 121, "bytes": 215552}
    config = json.loads((tmp_path / "made" / "config.json").read_text())
    assert config["dtype"] == "bfloat16"
    for place in config["auto_map"].values():
        module, _, name = place.partition(".")
        assert f"class {name}(" in (tmp_path / "made" / f"{module}.py").read_text()


def test_a_script_gets_the_folder_alone(call: Any, parts: list[str]) -> None:
    answer = call("-q", "convert", "minigpt4", *parts, "-o", "made")
    assert (answer.code, answer.out, answer.err) == (0, "made\n", "")


def spoiled(folder: Path) -> None:
    (folder / "minigpt4.pth").write_text("<html>")


def occupied(folder: Path) -> None:
    (folder / "made").mkdir()


@pytest.mark.parametrize(
    ("change", "args", "code", "words"),
    [
        (spoiled, [], 1, "minigpt4.pth: is a web page"),
        (occupied, [], 1, "made: is there already; name another place with -o"),
        (lambda folder: None, ["--blip2", "vicuna"], 2, "give either a BLIP-2 folder"),
        (lambda folder: None, ["--vicuna", "nowhere"], 2, "'nowhere' does not exist"),
        (lambda folder: None, ["--dtype", "int8"], 2, "--dtype"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    call: Any,
    parts: list[str],
    tmp_path: Path,
    change: Callable[[Path], None],
    args: list[str],
    code: int,
    words: str,
) -> None:
    change(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    answer = call("-q", "convert", "minigpt4", *parts, *args, "-o", "made")
    assert answer.code == code
    assert words in answer.err
    assert len(answer.err.splitlines()) == 1
    assert answer.out == ""
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("args", "words"), [([], "Missing command"), (["minigpt5"], "minigpt5"), (["minigpt4"], "Missing option")]
)
def test_usage(call: Any, args: list[str], words: str) -> None:
    answer = call("convert", *args)
    assert answer.code == 2
    assert words in answer.err
    assert "--help)" in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize("command", CONVERSIONS)
def test_help_says_what_it_takes(call: Any, command: str) -> None:
    answer = call("convert", command, "--help")
    assert answer.code == 0
    text = " ".join(answer.out.split())
    assert "of disk" in text
    assert "of memory" in text
