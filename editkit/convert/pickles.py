"""PyTorch pickles, read as what they may be: programs. No code in them is run."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from editkit.errors import ModelError

# What LAVIS, MiniGPT-4 and most training scripts put their weights under.
WRAPPERS: Final = ("model", "state_dict")
WANTED: Final = re.compile(r"GLOBAL ((?:\w+\.)+\w+)")
ZIP: Final = b"PK\x03\x04"  # what torch has written since 2020, and can leave on the disk
BEGINNINGS: Final = {
    b"<": "is a web page, as a download that asks back leaves it: download the file again",
    b"version https://git-lfs": "is a Git LFS pointer, not the file itself: run `git lfs pull` where it lies",
}


def tensors(file: Path) -> dict[str, Tensor]:
    """The named tensors of a pickle, left on the disk where the format allows it (`mmap`).

    It is read with `weights_only=True`: only tensors and plain values are made, nothing else is called.

    Raises:
        ModelError: no such file, no PyTorch checkpoint, a damaged one, or one that wants code run.
    """
    found = _load(file)
    while isinstance(found, dict) and (
        inner := next((found[key] for key in WRAPPERS if isinstance(found.get(key), dict)), None)
    ):
        found = inner
    named = {
        name: value
        for name, value in (found.items() if isinstance(found, dict) else ())
        if isinstance(name, str) and isinstance(value, Tensor)
    }
    if not named:
        raise ModelError(f"{file}: holds no named tensors, so it is no checkpoint")
    return named


def _load(file: Path) -> Any:
    try:
        with file.open("rb") as stream:
            head = stream.read(64)
    except OSError as error:
        raise ModelError(f"{file}: can't be read ({error.strerror})") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch thinks of the pickle, we say ourselves
            return torch.load(file, map_location="cpu", weights_only=True, mmap=head.startswith(ZIP))
    except Exception as error:  # an unpickler that meets bytes of something else raises nearly anything
        raise ModelError(f"{file}: {_why(head, str(error))}") from error


def _why(head: bytes, said: str) -> str:
    for beginning, why in BEGINNINGS.items():
        if head.lstrip().startswith(beginning):
            return why
    if wanted := WANTED.search(said):
        return (
            f"wants {wanted[1]} called when it is opened, which editkit never does: weights need nothing of "
            "the kind, so take the file from its publishers"
        )
    if head.startswith(ZIP):
        return "is damaged or was not downloaded to its end: download it again"
    return "is no PyTorch checkpoint"
