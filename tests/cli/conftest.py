"""A command line to call, as a shell would."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from editkit.cli.main import run
from tests.merging import patch_on, w_out

SMALL = "version: 1\nname: small\nmodel: ./nowhere\nprobe: {images: {demo: guns}}\nedits: [{suppress: gun}]\n"


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Answer]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Runs one command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def calling(*args: str | Path) -> Answer:
        words: Sequence[str] = [str(arg) for arg in args]
        code = run(words)
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return calling


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A good recipe for a model that is not there."""
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


@pytest.fixture
def base(tiny_checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    """A checkpoint, and beside it the patches a, b and d on different neurons; c overlaps with a and b."""
    folder = tmp_path / "base"
    shutil.copytree(tiny_checkpoint("llama", "bfloat16"), folder)
    patch_on(folder, w_out(folder)).save(tmp_path / "a.editkit.safetensors")
    patch_on(folder, w_out(folder), (2, 7), seed=1, accepted=False).save(tmp_path / "b.editkit.safetensors")
    patch_on(folder, w_out(folder), (5, 7), seed=2).save(tmp_path / "c.editkit.safetensors")
    patch_on(folder, w_out(folder)[2:], (9,), seed=3).save(tmp_path / "d.editkit.safetensors")
    return folder


@pytest.fixture
def merged(call: Call, base: Path) -> str:
    """A folder with the patch a in it."""
    assert call("export", "a.editkit.safetensors", "--base", base, "--merged", "m").code == 0
    return "m"
