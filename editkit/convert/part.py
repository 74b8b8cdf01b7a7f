"""A published part: a file or a folder of named tensors, read one at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from editkit.checkpoint import Checkpoint
from editkit.convert.pickles import tensors
from editkit.errors import ModelError
from editkit.events import Noted, Tell, nobody

SINGLE: Final = "pytorch_model.bin"
INDEX: Final = "pytorch_model.bin.index.json"


@dataclass(frozen=True)
class Part:
    """Names and shapes at once, values when `read(name)` asks for them.

    Attributes:
        place: the file or the folder, as errors call it.
        pickled: whether it is stored as a pickle.
    """

    place: Path
    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[str], Tensor]
    pickled: bool

    def shape(self, name: str, rank: int, what: str) -> tuple[int, ...]:
        """The shape of a tensor that `what` always has, with `rank` numbers.

        Raises:
            ModelError: there is none of that name and rank.
        """
        if name not in self.shapes:
            raise ModelError(f"{self.place}: no tensor {name!r} in it, so it is not {what}")
        found = self.shapes[name]
        if len(found) != rank or 0 in found:
            raise ModelError(f"{self.place}: {name} has the shape {list(found)}, so it is not {what}")
        return found


def open_part(place: Path, tell: Tell = nobody) -> Part:
    """A pickle (`.pth`, `.bin`), or a folder of safetensors files or, where it has none, of pickles.

    Raises:
        ModelError: it can't be read, or holds no tensors.
    """
    found = _open(place)
    if found.pickled:
        tell(
            Noted(f"{place} is a pickle: only its tensors are read (weights_only=True), no code in it is run")
        )
    return found


def _open(place: Path) -> Part:
    if not place.is_dir():
        return _of(place, tensors(place))
    if any(place.glob("*.safetensors")):
        return _safetensors(Checkpoint.open(place))
    if (place / SINGLE).is_file():
        return _of(place, tensors(place / SINGLE))
    if (place / INDEX).is_file():
        return _shards(place)
    raise ModelError(f"{place}: neither safetensors files nor {SINGLE} nor {INDEX} is there")


def settings(folder: Path, name: str = "config.json") -> dict[str, Any]:
    """A JSON file of a folder.

    Raises:
        ModelError: it is not there, or no JSON object.
    """
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{folder / name}: can't be read ({error.strerror})") from error
    except ValueError as error:
        raise ModelError(f"{folder / name}: is no JSON") from error
    if not isinstance(found, dict):
        raise ModelError(f"{folder / name}: is no JSON object")
    return found


def _of(place: Path, found: Mapping[str, Tensor]) -> Part:
    return Part(place, {name: tuple(value.shape) for name, value in found.items()}, found.__getitem__, True)


def _safetensors(checkpoint: Checkpoint) -> Part:
    from safetensors import safe_open

    def read(name: str) -> Tensor:
        with safe_open(str(checkpoint.tensor(name).file), framework="pt") as file:
            value: Tensor = file.get_tensor(name)
            return value

    shapes = {name: info.shape for name, info in checkpoint.tensors.items()}
    return Part(checkpoint.folder, shapes, read, False)


def _shards(folder: Path) -> Part:
    table = settings(folder, INDEX).get("weight_map")
    files = set(table.values()) if isinstance(table, dict) else set()
    if not files or not all(isinstance(name, str) and name == Path(name).name for name in files):
        raise ModelError(f"{folder / INDEX}: no weight_map from tensors to files there")
    shard = cache(lambda name: tensors(folder / name))
    places = {tensor: name for name in sorted(files) for tensor in shard(name)}
    shapes = {tensor: tuple(shard(name)[tensor].shape) for tensor, name in places.items()}
    return Part(folder, shapes, lambda tensor: shard(places[tensor])[tensor], True)
