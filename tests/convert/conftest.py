"""Published parts, written once, and folders made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from editkit.convert.minigpt4 import MiniGPT4
from tests.convert import published


@dataclass(frozen=True)
class Files:
    """MiniGPT-4's parts as files."""

    folder: Path

    def parts(self, **others: object) -> MiniGPT4:
        found = MiniGPT4(
            self.folder / "vicuna",
            self.folder / "minigpt4.pth",
            vision=self.folder / "eva_vit_g.pth",
            qformer=self.folder / "blip2.pth",
            dtype="float32",
        )
        return replace(found, **others)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("published")
    published.vicuna(folder / "vicuna", pickled=True, shards=2)
    torch.save(dict(published.eva()), folder / "eva_vit_g.pth")
    torch.save({"model": dict(published.qformer())}, folder / "blip2.pth")
    trained = {
        "model": dict(published.projection()),
        "optimizer": {"state": {}},
        "config": {"run": {}},
        "epoch": 3,
    }
    torch.save(trained, folder / "minigpt4.pth")
    return Files(folder)


@pytest.fixture(scope="session")
def minigpt4(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all of `files` make, in float32."""
    from editkit.convert.assembly import convert

    return convert(files.parts(), tmp_path_factory.mktemp("converted") / "minigpt4").folder


@pytest.fixture(scope="session")
def owl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mPLUG-Owl2's folder, converted in float32."""
    from editkit.convert.assembly import convert
    from editkit.convert.mplug_owl2 import MPLUGOwl2

    folder = tmp_path_factory.mktemp("owl")
    released = published.mplug_owl2(folder / "released")
    return convert(MPLUGOwl2(released, "float32"), folder / "converted").folder


@pytest.fixture(scope="session")
def remote() -> Callable[[Path], object]:
    """Opens a folder with its own code."""
    from transformers import AutoModelForImageTextToText

    def opened(folder: Path) -> object:
        return AutoModelForImageTextToText.from_pretrained(folder, trust_remote_code=True).eval()

    return opened
