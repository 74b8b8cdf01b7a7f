"""What differs between two checkpoints; where it is rows of W_out alone, as a patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from editkit.checkpoint import BITS, Checkpoint, TensorInfo
from editkit.checkpoint.difference import compared, moved
from editkit.checkpoint.strict import strict_json
from editkit.errors import PatchError
from editkit.events import Noted, Tell, nobody, stage
from editkit.model.files import locate_files
from editkit.neuron import MatrixKey
from editkit.patch.file import Patch
from editkit.patch.format import Base, Entry, Method, Provenance
from editkit.recipe import ModelRef

if TYPE_CHECKING:
    from editkit.model.outline import Outline

NO_RECIPE: Final = "0" * 64
VERSIONED: Final = ("editkit", "transformers")
# What saving a model writes anew, and no edit is.
SAVED: Final = {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version"}
SHOWN: Final = 5


@dataclass(frozen=True)
class Side:
    """One of the two checkpoints."""

    ref: ModelRef
    revision: str | None
    checkpoint: Checkpoint

    @classmethod
    def open(cls, model: str | Path | ModelRef) -> Side:
        """Read the headers; a Hub model is downloaded where it is not here yet.

        Raises:
            ModelError: there is no such model, or it has no safetensors files.
        """
        ref = model if isinstance(model, ModelRef) else ModelRef.model_validate(str(model))
        folder, revision = locate_files(ref)
        return cls(ref, revision, Checkpoint.open(folder))


@dataclass(frozen=True)
class Differences:
    """Which tensors of two checkpoints differ; their bytes were compared where dtype and shape are the same.

    Attributes:
        missing, added: tensors that only the first, or only the second has.
        reshaped: in both, with another dtype or shape.
        changed: in both alike, with other bytes.
        config: keys of `config.json` that differ, but for those that saving writes anew.
        n_tensors: how many both have alike.
    """

    missing: tuple[str, ...]
    added: tuple[str, ...]
    reshaped: tuple[str, ...]
    changed: tuple[str, ...]
    config: tuple[str, ...]
    n_tensors: int

    @property
    def any(self) -> bool:
        return any((self.missing, self.added, self.reshaped, self.changed, self.config))


@dataclass(frozen=True)
class Matrix:
    """One W_out in the files: module of the running model, and the tensor; `slab` where that is fused."""

    key: MatrixKey
    module: str
    tensor: str
    orientation: Any
    slab: int | None


def differences(one: Checkpoint, other: Checkpoint, tell: Tell = nobody) -> Differences:
    """Compare every tensor, streamed: memory stays flat, and torch is not needed.

    Raises:
        ModelError: a file can't be read.
    """
    both = one.tensors.keys() & other.tensors.keys()
    alike = {name for name in both if _kind(one.tensors[name]) == _kind(other.tensors[name])}
    with stage(tell, "compare the tensors", len(alike)) as advance:
        changed = []
        for name, same in compared(one, other, alike):
            advance()
            if not same:
                changed.append(name)
    return Differences(
        tuple(sorted(one.tensors.keys() - both)),
        tuple(sorted(other.tensors.keys() - both)),
        tuple(sorted(both - alike)),
        tuple(sorted(changed)),
        _config(one, other),
        len(alike),
    )


def _kind(info: TensorInfo) -> tuple[str, tuple[int, ...]]:
    return info.dtype, info.shape


def _config(one: Checkpoint, other: Checkpoint) -> tuple[str, ...]:
    if one.config_digest == other.config_digest:
        return ()
    try:
        first, second = (strict_json((side.folder / "config.json").read_bytes()) for side in (one, other))
    except (OSError, ValueError):
        return ("config.json",)
    if not isinstance(first, dict) or not isinstance(second, dict):
        return ("config.json",)
    return tuple(
        sorted(
            key
            for key in first.keys() | second.keys()
            if key not in SAVED and first.get(key) != second.get(key)
        )
    )


def matrices(lines: Outline, tensors: Sequence[str]) -> dict[str, list[Matrix]]:
    """Which W_out stand in these tensors; a tensor without one is left out.

    Raises:
        ModelError: a W_out that no tensor of the files can be told to be.
    """
    found: dict[str, list[Matrix]] = {}
    for place in lines.editable.w_outs:
        at = lines.places[place.key]
        if at.tensor in tensors:
            slab = place.expert if at.fused else None
            found.setdefault(at.tensor, []).append(
                Matrix(place.key, place.name, at.tensor, at.orientation, slab)
            )
    return found


def extract(
    base: str | Path | ModelRef,
    edited: str | Path | ModelRef,
    *,
    only_w_out: bool = False,
    tell: Tell = nobody,
) -> Patch:
    """The patch that leads from one checkpoint to another which differs in rows of W_out.

    How the tensors are spread over files does not matter. Both are streamed; what is kept is the rows.

    Args:
        only_w_out: where other tensors differ too, take the rows of W_out alone, and warn.

    Raises:
        ModelError: a checkpoint that can't be opened or laid out.
        PatchError: they differ in something else, which the sentence names; or in rows no patch can hold.
    """
    before, after = Side.open(base), Side.open(edited)
    found = differences(before.checkpoint, after.checkpoint, tell)
    from editkit.model.outline import outline

    lines = outline(before.ref)
    where = matrices(lines, tuple(before.checkpoint.tensors))
    _refuse(found, where, after.checkpoint, only_w_out, tell)
    if found.config:
        names = ", ".join(found.config)
        tell(Noted(f"config.json differs in {names}: a patch holds weights, not this", warning=True))
    entries = []
    own = [name for name in found.changed if name in where]
    with stage(tell, "read the rows", len(own)) as advance:
        for name in own:
            entries += _entries(before.checkpoint, after.checkpoint, where[name])
            advance()
    return Patch(
        _base(before, str(lines.editable.model.dtype).removeprefix("torch.")),
        tuple(sorted(entries, key=lambda entry: entry.rank)),
        Provenance(
            NO_RECIPE,
            Method("extracted"),
            Method("extracted"),
            0,
            {package: metadata.version(package) for package in VERSIONED},
        ),
    )


def _refuse(
    found: Differences, where: Mapping[str, list[Matrix]], edited: Checkpoint, only_w_out: bool, tell: Tell
) -> None:
    """Everything that differs and is no row of W_out."""
    problems = []
    for names, what in (
        (found.missing, "is missing there"),
        (found.reshaped, "has another dtype or shape there"),
    ):
        if lost := [name for name in names if name in where]:
            raise PatchError(f"{edited.folder}: tensor {lost[0]!r} {what}: it is no edit of this base")
        if names:
            problems.append(f"{_listed(names)} {what}")
    if found.added:
        problems.append(f"only there is {_listed(found.added)}")
    if others := [name for name in found.changed if name not in where]:
        problems.append(f"{_listed(others)} differs and is no W_out")
    if not problems:
        return
    said = f"{edited.folder}: {'; '.join(problems)}"
    if not only_w_out:
        raise PatchError(f"{said}: a patch can't say that; --only-w-out takes the rows of W_out alone")
    tell(Noted(f"{said}: the patch leaves that out", warning=True))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ("tensor " if len(names) == 1 else f"{len(names)} tensors: ") + ", ".join(names[:SHOWN]) + more


def _entries(base: Checkpoint, edited: Checkpoint, places: Sequence[Matrix]) -> list[Entry]:
    """Of one tensor, an entry for each matrix in it that has rows that moved."""
    name = places[0].tensor
    info = base.tensor(name)
    if info.dtype not in BITS:
        raise PatchError(
            f"tensor {name!r} is stored as {info.dtype}; rows of {', '.join(BITS)} can be patched"
        )
    digests = base.digest(name), edited.digest(name)
    found = []
    for place in places:
        neurons = moved(base, edited, name, place.orientation, place.slab)
        if len(neurons):
            rows = name, neurons, place.orientation, place.slab
            found.append(
                Entry(
                    kind="rows",
                    module=place.module,
                    tensor=name,
                    layer=place.key[0],
                    expert=place.key[1],
                    orientation=place.orientation,
                    shape=info.shape,
                    base_digest=digests[0],
                    edited_digest=digests[1],
                    dtype=info.dtype,
                    neurons=neurons,
                    original=base.read_rows(*rows),
                    edited=edited.read_rows(*rows),
                )
            )
    return found


def _base(side: Side, dtype: str) -> Base:
    local = side.revision is None and Path(side.ref.id).expanduser().is_dir()
    name = f"sha256:{side.checkpoint.identity}" if local else side.ref.id
    return Base(name, side.revision, dtype, side.checkpoint.config_digest)
