"""Patch format, version 1, in memory: what stands in a patch, and what makes one valid.

`docs/patch-format.md` has the same in bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, FailFast, JsonValue

from editkit.checkpoint import Orientation, Rows
from editkit.checkpoint.tensorfile import BITS, Bits
from editkit.errors import PatchError, UsageError
from editkit.neuron import Neuron, in_order
from editkit.patch.rows import finite

VERSION: Final = 1
METADATA_KEY: Final = "editkit"
SUFFIX: Final = ".editkit.safetensors"
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
# `C:\model`, `/model`, `~/model`, `./model`: names that say something about one machine only.
LOCAL_PATH: Final = re.compile(r"[/\\~.]|[A-Za-z]:[/\\]")
STRICT: Final = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Base:
    """The model a patch was made on; a local one is named by `Checkpoint.identity`, never by its path."""

    id: str
    revision: str | None
    dtype: str
    config_digest: str

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
class Method:
    """A localizer or solver by name, with all its settings."""

    name: str
    settings: Mapping[str, JsonValue] = field(default_factory=dict)

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
class Provenance:
    """Where a patch came from and what the acceptance run said of it.

    Attributes:
        versions: package -> version.
        neuron_scores: `L1.N2` -> the localizer's score.
        scores: metric -> `before`, `after`, `control` -> value.
        accepted: None where nothing was asked.
        edits: descriptions for people, masked where privacy wants it.
    """

    recipe_digest: str
    locate: Method
    solve: Method
    seed: int
    versions: Mapping[str, str] = field(default_factory=dict)
    neuron_scores: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    accepted: bool | None = None
    edits: Annotated[tuple[str, ...], FailFast()] = ()

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
class Site:
    """Which matrix an entry changes: everything of it that stands in the JSON.

    Attributes:
        module: the module's name in the running model.
        tensor: the tensor's name in the checkpoint files, where the two often differ.
        expert: whose neurons they are, None where the layer has one W_out; of a fused `[n_experts, ...]`
            tensor also the slab, while other files keep a matrix for each expert.
        orientation: whether the file stores a neuron as a row or as a column.
        shape: as stored.
        base_digest, edited_digest: SHA-256 of the tensor's bytes without and with all of the patch.
    """

    kind: Literal["rows"]
    module: str
    tensor: str
    layer: int
    expert: int | None
    orientation: Orientation
    shape: Annotated[tuple[int, ...], FailFast()]
    base_digest: str
    edited_digest: str

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts by layer, then expert."""
        return in_order((self.layer, self.expert))

    @property
    def sides(self) -> tuple[int, int]:
        """`(d_mlp, d_model)`."""
        height, width = self.shape[-2:]
        return (height, width) if self.orientation == "rows" else (width, height)

    @property
    def slab(self) -> int | None:
        """Which part of a fused tensor it is, None where the tensor is the matrix itself."""
        return self.expert if len(self.shape) == 3 else None


@dataclass(frozen=True, eq=False)
class Entry(Site):
    """The change of one matrix: neurons int64 `[k]`, original and edited bits `[k, d_model]` of `dtype`."""

    dtype: str
    neurons: NDArray[np.int64]
    original: Bits
    edited: Bits

    def rows(self, which: Literal["original", "edited"]) -> Rows:
        return Rows(self.neurons, getattr(self, which), self.orientation, self.slab)


@dataclass(frozen=True, eq=False)
class Contents:
    """All of a patch; one that is not valid can't be made.

    Raises:
        PatchError: something in it contradicts the format.
    """

    base: Base
    entries: tuple[Entry, ...]
    provenance: Provenance

    def __post_init__(self) -> None:
        _check_names(self.base, self.provenance)
        for entry in self.entries:
            _check_entry(entry)
        ranks = [entry.rank for entry in self.entries]
        if ranks != sorted(set(ranks)):
            raise PatchError("the entries are not in the order of layer and expert, each once")
        tensors: dict[str, tuple[Any, ...]] = {}
        for entry in self.entries:
            own = entry.expert if entry.slab is None else None
            whole = (entry.module, entry.layer, own, entry.orientation, entry.shape, entry.dtype)
            agreed = tensors.setdefault(entry.tensor, (*whole, entry.base_digest, entry.edited_digest))
            if agreed != (*whole, entry.base_digest, entry.edited_digest):
                raise PatchError(f"two entries contradict each other about tensor {entry.tensor!r:.200}")


def _check_names(base: Base, provenance: Provenance) -> None:
    if not base.id or LOCAL_PATH.match(base.id):
        raise PatchError("the base is named by a path: a local base is named by its digest")
    if not all(DIGEST.fullmatch(text) for text in (base.config_digest, provenance.recipe_digest)):
        raise PatchError("the digest of the config or of the recipe is no SHA-256 in hex")
    for name in provenance.neuron_scores:
        try:
            known = len(name) < 64 and str(Neuron.parse(name)) == name
        except UsageError:
            known = False
        if not known:
            raise PatchError("neuron_scores names something that is no neuron")


def _check_entry(entry: Entry) -> None:
    where = f"entry for tensor {entry.tensor!r:.200}"
    if entry.kind != "rows" or entry.orientation not in ("rows", "columns"):
        raise PatchError(f"{where}: unknown kind or orientation")
    if not entry.module or not entry.tensor or entry.layer < 0:
        raise PatchError(f"{where}: module, tensor or layer is not named")
    if len(entry.shape) not in ((2,) if entry.expert is None else (2, 3)) or min(entry.shape) < 1:
        raise PatchError(f"{where}: its shape is not that of a matrix, or of one per expert")
    if (entry.expert or 0) < 0 or (entry.slab or 0) >= entry.shape[0]:
        raise PatchError(f"{where}: no such expert")
    if not DIGEST.fullmatch(entry.base_digest) or not DIGEST.fullmatch(entry.edited_digest):
        raise PatchError(f"{where}: a digest is no SHA-256 in hex")
    if entry.dtype not in BITS:
        raise PatchError(f"{where}: rows of {entry.dtype:.20} can't be patched; {', '.join(BITS)} can")
    d_mlp, d_model = entry.sides
    neurons = entry.neurons
    if neurons.dtype != np.int64 or neurons.ndim != 1 or not len(neurons):
        raise PatchError(f"{where}: its neurons are no list of int64")
    if neurons[0] < 0 or neurons[-1] >= d_mlp or not (neurons[:-1] < neurons[1:]).all():
        raise PatchError(f"{where}: its neurons are not ascending, unique and below {d_mlp}")
    for rows in (entry.original, entry.edited):
        if rows.dtype != BITS[entry.dtype] or rows.shape != (len(neurons), d_model):
            raise PatchError(f"{where}: its rows are not {entry.dtype} [{len(neurons)}, {d_model}]")
        if not finite(rows, entry.dtype):
            raise PatchError(f"{where}: its rows hold NaN or infinity")
