"""A checkpoint of small tensors in every layout, and patches on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from editkit.checkpoint import Checkpoint
from editkit.delta import Delta, LayerDelta
from editkit.neuron import MatrixKey
from editkit.patch.file import Patch
from editkit.patch.format import Base, Method, Provenance
from editkit.patch.make import Place, make_patch
from editkit.patch.rows import widen

WIDTH, DEPTH = 3, 8
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
PLACES: dict[MatrixKey, Place] = {
    (0, None): Place("l.0", "columns", "columns"),
    (1, None): Place("l.1", "rows", "rows"),
    (2, 0): Place("l.2", "fused", "columns", True),
    (2, 1): Place("l.2", "fused", "columns", True),
    (3, 0): Place("l.3.0", "apart.0", "columns"),
    (3, 1): Place("l.3.1", "apart.1", "columns"),
}
Key = tuple[MatrixKey, int]
Rows = dict[Key, int]  # neuron -> what its change is drawn with
KEYS = [(matrix, neuron) for matrix in PLACES for neuron in range(DEPTH)]
Bases = Callable[[str], Checkpoint]


def make_base(folder: Path, dtype: str) -> Checkpoint:
    """Random weights of every layout."""
    torch.manual_seed(0)
    shapes = {"columns": (WIDTH, DEPTH), "rows": (DEPTH, WIDTH), "fused": (2, WIDTH, DEPTH)}
    shapes |= {"apart.0": (WIDTH, DEPTH), "apart.1": (WIDTH, DEPTH)}
    save(folder, {name: torch.randn(shape).to(DTYPES[dtype]) for name, shape in shapes.items()})
    return Checkpoint.open(folder)


def save(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    (folder / "config.json").write_text("{}")
    save_file(tensors, folder / "model.safetensors")


def patch_of(checkpoint: Checkpoint, rows: Rows, seed: int = 0, **said: object) -> Patch:
    """A patch of these neurons; a change is told by its number, and no number changes nothing."""
    parts = []
    for matrix in PLACES:
        own = {neuron: drawn for (where, neuron), drawn in sorted(rows.items()) if where == matrix}
        if own:
            changes = [np.random.default_rng(drawn).normal(size=WIDTH) for drawn in own.values()]
            parts.append(LayerDelta(*matrix, tuple(own), np.array(changes, np.float32)))
    base = Base("sha256:tiny", None, "float32", checkpoint.config_digest)
    scores = {f"L{m[0]}.{'' if m[1] is None else f'E{m[1]}.'}N{n}": d / 7 for (m, n), d in rows.items()}
    came = Provenance(
        f"{seed:064x}", Method("listed"), Method("gradient"), seed, {"torch": f"2.{seed}"}, scores
    )
    return make_patch(Delta(tuple(parts)), PLACES, checkpoint, base, replace(came, **said))


def written(checkpoint: Checkpoint, patches: Iterable[Patch], folder: Path) -> Checkpoint:
    """The checkpoint with these patches in it, one after the other."""
    tensors = load_file(checkpoint.folder / "model.safetensors")
    for entry in (entry for patch in patches for entry in patch.entries):
        matrix = tensors[entry.tensor] if entry.slab is None else tensors[entry.tensor][entry.slab]
        rows = matrix if entry.orientation == "rows" else matrix.T
        rows[entry.neurons] = torch.from_numpy(widen(entry.edited, entry.dtype).copy()).to(matrix.dtype)
    folder.mkdir(exist_ok=True, parents=True)
    save(folder, tensors)
    return Checkpoint.open(folder)


def content(patch: Patch) -> list[tuple[object, ...]]:
    """What it does, without where it came from."""
    return [
        (
            *(e.module, e.tensor, e.layer, e.expert, e.orientation, e.shape, e.dtype),
            *(e.base_digest, e.edited_digest),
            *(e.neurons.tolist(), e.original.tolist(), e.edited.tolist()),
        )
        for e in patch.entries
    ]


def split(count: int) -> st.SearchStrategy[tuple[Rows, ...]]:
    """Rows for `count` patches that share no neuron, but most tensors; some may be empty."""
    owners = st.dictionaries(
        st.sampled_from(KEYS), st.tuples(st.integers(0, count - 1), st.integers(1, 99)), max_size=24
    )
    return owners.map(
        lambda owned: tuple(
            {key: drawn for key, (owner, drawn) in owned.items() if owner == one} for one in range(count)
        )
    )


def drawn(count: int, changes: int) -> st.SearchStrategy[list[Rows]]:
    """Rows for `count` patches that may share neurons, each changed in one of so many ways."""
    rows = st.dictionaries(st.sampled_from(KEYS), st.integers(1, changes), max_size=12)
    return st.lists(rows, min_size=count, max_size=count)


dtypes = st.sampled_from(sorted(DTYPES))
