from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from editkit.convert.naming import renamed
from editkit.convert.part import open_part
from tests.convert.published import save_bins

WEIGHTS = {"a.weight": torch.randn(2, 3), "b.bias": torch.randn(4)}


def safetensors(folder: Path) -> None:
    save_file(WEIGHTS, folder / "model.safetensors")


def single(folder: Path) -> None:
    save_bins(folder, WEIGHTS, 1)


def several(folder: Path) -> None:
    save_bins(folder, WEIGHTS, 2)


def both(folder: Path) -> None:
    safetensors(folder)
    (folder / "pytorch_model.bin").write_bytes(b"never looked at")


@pytest.mark.parametrize("write", [safetensors, single, several, both])
def test_a_folder_gives_its_tensors(tmp_path: Path, write: object) -> None:
    write(tmp_path)  # type: ignore[operator]
    part = open_part(tmp_path)
    assert part.shapes == {"a.weight": (2, 3), "b.bias": (4,)}
    assert all(torch.equal(part.read(name), value) for name, value in WEIGHTS.items())
    assert part.pickled == (write in (single, several))


@pytest.mark.parametrize(
    "wrapped", [WEIGHTS, {"model": WEIGHTS, "epoch": 1}, {"state_dict": {"model": WEIGHTS}}]
)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_gives_its_tensors(tmp_path: Path, wrapped: object, zipped: bool) -> None:
    torch.save(wrapped, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    part = open_part(tmp_path / "a.pth")
    assert all(torch.equal(part.read(name), value) for name, value in WEIGHTS.items())
    assert part.pickled


def test_a_name_is_what_the_first_rule_makes_of_it() -> None:
    rules = [(r"a\.(\d+)", r"b.\1"), (r"a\.(.+)", r"c.\1")]
    assert renamed("a.3", rules) == "b.3"
    assert renamed("a.x", rules) == "c.x"
    assert renamed("xa.3", rules) is None
