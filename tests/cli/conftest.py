"""A command line to call, as a shell would."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from editkit.cli.main import run

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
