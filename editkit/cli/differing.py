"""Two patches or checkpoints side by side: as sentences and tables, and as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from editkit.cli.sheets import Sheet, number
from editkit.patch.difference import WAYS, PatchDifference

if TYPE_CHECKING:
    from editkit.model.differences import Differences, Moved

SHOWN: Final = 40
# What a neuron's row may be named on the screen, where columns are narrow.
CHANGE: Final = ("change in A", "change in B", "cosine")


@dataclass(frozen=True)
class Differing:
    """What to show."""

    equal: bool
    lines: tuple[str, ...]
    sheets: tuple[Sheet, ...]
    document: dict[str, Any]


def of_patches(found: PatchDifference) -> Differing:
    lines = [_first_line(found)]
    if found.base:
        lines.append(f"What they say of their base differs: {', '.join(found.base)}.")
    layers = Sheet.of(
        ("layer", *WAYS, *CHANGE),
        (
            (
                f"L{layer.layer}",
                *(str(layer.counts[way]) for way in WAYS),
                *map(number, (layer.first, layer.second, layer.cosine)),
            )
            for layer in found.layers
        ),
    )
    # What differs comes first, the largest change on top.
    order = sorted(found.neurons, key=lambda pair: (pair.which == WAYS[2], -max(_lengths(pair))))
    neurons = Sheet.of(
        ("neuron", "is", *CHANGE),
        (
            (str(pair.neuron), pair.which, *map(number, (pair.first, pair.second, pair.cosine)))
            for pair in order
        ),
        SHOWN,
    )
    return Differing(
        found.equal,
        tuple(lines),
        (layers, neurons) if found.neurons else (),
        {
            "of": "patches",
            "same_file": found.same_file,
            "base": list(found.base),
            "layers": [{**vars(layer), "counts": dict(layer.counts)} for layer in found.layers],
            "neurons": [{**vars(pair), "neuron": str(pair.neuron)} for pair in found.neurons],
        },
    )


def _lengths(pair: Any) -> list[float]:
    return [length for length in (pair.first, pair.second) if length is not None]


def _first_line(found: PatchDifference) -> str:
    if found.same_file:
        return "The same file, byte for byte."
    if found.equal:
        return "The same change of the same base; only what they say of where they came from differs."
    counts = Counter(pair.which for pair in found.neurons)
    return "Neurons: " + ", ".join(f"{counts[way]:,} {way}" for way in WAYS if counts[way]) + "."


def of_checkpoints(found: Differences, moved: Sequence[Moved]) -> Differing:
    each = (
        (found.missing, "only in A"),
        (found.added, "only in B"),
        (found.reshaped, "another dtype or shape"),
        (found.changed, "other bytes"),
    )
    by_tensor = Counter(one.tensor for one in moved)
    rows = [(name, what, str(by_tensor.get(name, "-"))) for names, what in each for name in names]
    sheets = [Sheet.of(("tensor", "is", "neurons that moved"), rows, SHOWN)] if rows else []
    if moved:
        # Rows that hold infinity or NaN have no length, and come first.
        order = sorted(moved, key=lambda one: -one.length if one.length == one.length else float("-inf"))
        cells = ((str(one.neuron), number(one.length), number(one.ratio)) for one in order)
        sheets.append(Sheet.of(("neuron", "change", "change / row norm"), cells, SHOWN))
    return Differing(
        not found.any,
        tuple(_checkpoint_lines(found, len(moved))),
        tuple(sheets),
        {
            "of": "checkpoints",
            "only_in_first": list(found.missing),
            "only_in_second": list(found.added),
            "reshaped": list(found.reshaped),
            "changed": list(found.changed),
            "config": list(found.config),
            "neurons": [{**vars(one), "neuron": str(one.neuron)} for one in moved],
        },
    )


def _checkpoint_lines(found: Differences, n_moved: int) -> list[str]:
    if not found.any:
        return [f"All {found.n_tensors:,} tensors are equal, byte for byte, and so is the config."]
    several = "neuron of W_out" if n_moved == 1 else "neurons of W_out"
    lines = [
        f"{len(found.changed):,} of {found.n_tensors:,} tensors that both have differ; "
        f"{n_moved:,} {several} moved."
    ]
    if found.config:
        lines.append(f"config.json differs in {', '.join(found.config)}.")
    return lines
