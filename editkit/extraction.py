"""The patch between two checkpoints that differ in rows of W_out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from editkit.checkpoint import BITS, Checkpoint
from editkit.checkpoint.difference import moved
from editkit.errors import PatchError
from editkit.events import Noted, Tell, nobody, stage
from editkit.model.differences import Differences, Matrix, Side, differences, matrices
from editkit.patch.file import Patch
from editkit.patch.format import Base, Entry, Method, Provenance
from editkit.recipe import ModelRef

NO_RECIPE: Final = "0" * 64
VERSIONED: Final = ("editkit", "transformers")
SHOWN: Final = 5


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

    lines = outline(before.ref, processor=False)
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
