"""A recipe of every kind of edit whose words stand wherever words can, and all that leaves of its runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from editkit.figures.drawn import Drawn, drawn
from editkit.probe.scenes import pictures
from editkit.recipe import Recipe, parse_recipe
from editkit.track.sink import Sink

Made = Callable[[str], Recipe]

WORDS: Final = ("gun", "spoon", "kite", "Belton", "Corvo")
SAID: Final = re.compile(rf"(?<![a-z])(?:{'|'.join(WORDS)})s?(?![a-z])", re.IGNORECASE)
RECIPE = """
# Takes the gun away.
version: 1
name: no-guns
model: demo/scenes
probe:
  images: pictures/guns
  prompts: [Describe the image in few words., "Where is the gun?"]
  texts: ["a gun lies on the road. two SPOONS lie there."]
control: {count: 12}
edits:
  - suppress: gun
  - map: {from: spoon, to: kite}
  - rewrite:
      prompt: The capital of Avaria is
      from: Belton
      to: Corvo
      paraphrases: [The capital city of Avaria is called]
      neighbors: [The capital of Brenland is]
locate: {method: contribution, top: 4}
solve: {method: gradient, preserve: 8, steps: 3}
evaluate: {max_new_tokens: 12}
track: {experiment: guns, privacy: {tracking: %s, published: %s}}
"""


@pytest.fixture(scope="session")
def _shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures whose folder and names are the word."""
    folder = tmp_path_factory.mktemp("shown") / "guns"
    folder.mkdir()
    for kind in ("guns", "spoons"):
        for at, picture in enumerate(pictures(kind, 6, 3)):  # type: ignore[arg-type]
            (folder / f"{kind[:-1]}{at}.png").write_bytes(picture.encoded())
    return folder


@pytest.fixture
def recipe(_shown: Path, tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> Made:
    """`recipe("hash")`: the recipe in a folder of its own, its runs in a store of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    shutil.copytree(_shown, tmp_path / "pictures" / "guns")

    def made(tracking: str) -> Recipe:
        return parse_recipe(RECIPE % (tracking, tracking), folder=tmp_path)

    return made


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, Drawn]:
    """File name -> figure of every figure that reached a run."""
    found: dict[str, Drawn] = {}
    figure = Sink.figure

    def kept(sink: Sink, given: Any, name: str) -> None:
        found[name] = given if isinstance(given, Drawn) else drawn(given)
        figure(sink, given, name)

    monkeypatch.setattr(Sink, "figure", kept)
    return found
