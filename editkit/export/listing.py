"""Which files of a checkpoint's folder go along when it is exported."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from editkit.checkpoint import Checkpoint
from editkit.errors import ModelError, OutputError, PatchError, printable
from editkit.patch.format import DIGEST, SUFFIX
from editkit.patch.manifest import MANIFEST, Manifest

OWN: Final = "editkit"  # the folder in an export where its patches are
# Weights in other forms: the edit would not be in them, and pickles can run code.
WEIGHTS: Final = re.compile(
    r".*\.(safetensors|bin|pt|pth|ckpt|pkl|pickle|msgpack|h5|hdf5|ot|npz|gguf|ggml|onnx|onnx_data|tflite)"
    r"|.*\.(bin|safetensors|msgpack|h5)\.index(\..*)?\.json|.*\.index\.(fp16|bf16|fp32)\.json"
)
# What an earlier export put beside the base's own files: it speaks of the files as they were.
OF_EXPORTS: Final = re.compile(
    rf".*\.(sig|sigstore)|provenance\.json|{re.escape(MANIFEST)}|{OWN}/.*{re.escape(SUFFIX)}"
)
ADAPTER: Final = "adapter_model.safetensors"  # transformers loads it together with the weights


@dataclass(frozen=True)
class Listing:
    """The files of a checkpoint's folder.

    Attributes:
        files: path inside the folder, with forward slashes -> where to read it; weights first, largest first.
        left_out: what stays behind and may be missed.
    """

    files: Mapping[str, Path]
    left_out: tuple[str, ...]

    @property
    def n_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files.values())

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.left_out:
            return ()
        return (f"left out, because the edit is not in them: {', '.join(self.left_out)}",)


def listing(checkpoint: Checkpoint) -> Listing:
    """What belongs to a checkpoint: all but other weights, hidden folders, and what earlier exports left.

    Raises:
        ModelError: the folder can't be read.
    """
    folder = checkpoint.folder
    kept = {info.file.name for info in checkpoint.tensors.values()} | {ADAPTER}
    if not (folder / "model.safetensors").is_file():
        kept.add("model.safetensors.index.json")
    exported, named = (folder / MANIFEST).is_file(), _named(folder)
    files, left_out = {}, []
    try:
        for name, path in _walk(folder):
            if exported and name not in named and OF_EXPORTS.fullmatch(name):
                continue
            other = WEIGHTS.fullmatch(name) and name not in kept
            if other or not path.is_file():
                left_out.append(name)
            else:
                files[name] = path
        order = sorted(files, key=lambda name: (-files[name].stat().st_size, name))
    except OSError as error:
        raise ModelError(f"{error.filename or folder}: can't be read ({error.strerror})") from error
    return Listing({name: files[name] for name in order}, tuple(sorted(map(printable, left_out))))


def _named(folder: Path) -> Collection[str]:
    """The files of a merged folder that were the base's already."""
    try:
        return Manifest.read(folder).files
    except PatchError:
        return ()


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    def fail(error: OSError) -> None:
        raise error

    for where, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        # A link to a folder may lead anywhere: it is told of as left out, and not entered.
        linked = [name for name in folders if Path(where, name).is_symlink()]
        for name in sorted((*names, *linked)):
            path = Path(where, name)
            yield path.relative_to(folder).as_posix(), path


def known_digest(path: Path) -> str | None:
    """The SHA-256 by which the Hub's cache names a file's bytes, where `path` leads there."""
    blob = path.resolve()
    in_cache = blob.parent.name == "blobs" and blob.parent.parent.name.startswith("models--")
    return blob.name if in_cache and DIGEST.fullmatch(blob.name) else None


def apart(base: Path, place: Path) -> None:
    """Refuse a place where writing would touch the base.

    Raises:
        OutputError: it is the base's folder, inside of it, or around it.
    """
    try:
        old, new = base.resolve(), place.resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise OutputError(f"{str(place)!r}: no possible name for a folder") from error
    if old == new or old in new.parents or new in old.parents:
        where = "is" if old == new else "is inside of" if old in new.parents else "holds"
        raise OutputError(f"{place}: {where} the base's folder, which is never written: name another place")
