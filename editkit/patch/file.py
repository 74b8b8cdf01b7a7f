"""A patch: what to change in which model, where that came from, and the file that says so."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from os import PathLike
from pathlib import Path

from editkit.atomic import write_whole
from editkit.delta import Delta, LayerDelta
from editkit.neuron import Neuron
from editkit.patch.format import Contents
from editkit.patch.reader import read_file
from editkit.patch.rows import exact_delta
from editkit.patch.writer import pieces


@dataclass(frozen=True, eq=False)
class Patch(Contents):
    """A valid patch; two are equal when their bytes are."""

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Patch:
        """Read a patch file. Nothing in it is executed.

        Raises:
            PatchError: there is none, or it is damaged, of another version or not a patch.
        """
        return cls(**vars(read_file(Path(path))))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the file, whole or not at all.

        Raises:
            OutputError: the place can't be written.
        """
        write_whole(Path(path), pieces(self))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file's bytes."""
        digest = sha256()
        for piece in pieces(self):
            digest.update(piece)
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patch) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def neurons(self) -> tuple[Neuron, ...]:
        """The neurons it changes, by layer, expert and index."""
        return tuple(
            Neuron(entry.layer, index, entry.expert)
            for entry in self.entries
            for index in entry.neurons.tolist()
        )

    def to_delta(self) -> Delta:
        """What it adds, in float32; `edited` is `round(original + delta)` wherever there is such a delta."""
        return Delta(
            tuple(
                LayerDelta(
                    entry.layer,
                    entry.expert,
                    tuple(entry.neurons.tolist()),
                    exact_delta(entry.original, entry.edited, entry.dtype),
                )
                for entry in self.entries
            )
        )
