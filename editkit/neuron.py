"""Where: one hidden unit of one feed-forward layer, and a ranking of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from editkit.errors import UsageError

# Names one W_out: its layer, and its expert where the layer routes between several (None elsewhere).
MatrixKey = tuple[int, int | None]

NAME: Final = re.compile(r"L(\d+)\.(?:E(\d+)\.)?N(\d+)")


def in_order(key: MatrixKey) -> tuple[int, int]:
    """Sorts matrices by layer, then expert; what is no expert comes first."""
    return key[0], -1 if key[1] is None else key[1]


@dataclass(frozen=True)
class Neuron:
    """Neuron `index` of layer `layer`; `expert` is set where the layer routes between experts."""

    layer: int
    index: int
    expert: int | None = None

    def __str__(self) -> str:
        expert = "" if self.expert is None else f"E{self.expert}."
        return f"L{self.layer}.{expert}N{self.index}"

    @property
    def matrix(self) -> MatrixKey:
        """The W_out whose row it is."""
        return self.layer, self.expert

    @classmethod
    def parse(cls, name: str) -> Neuron:
        """Read `L12.N345` or `L12.E3.N345`.

        Raises:
            UsageError: the name has another form.
        """
        found = NAME.fullmatch(name)
        if found is None:
            raise UsageError(f"{name!r} is no neuron: write L12.N345, or L12.E3.N345 for an expert's")
        layer, expert, index = found.groups()
        return cls(int(layer), int(index), None if expert is None else int(expert))


@dataclass(frozen=True)
class Neurons:
    """Neurons ranked by score, highest first, and the method that scored them."""

    items: tuple[Neuron, ...]
    scores: tuple[float, ...]
    method: str

    def __post_init__(self) -> None:
        if len(self.items) != len(self.scores):
            raise ValueError("as many scores as neurons")
        if len(set(self.items)) != len(self.items):
            raise ValueError("a neuron is ranked once")

    def __iter__(self) -> Iterator[Neuron]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def top(self, count: int) -> Neurons:
        return Neurons(self.items[:count], self.scores[:count], self.method)

    def by_matrix(self) -> dict[MatrixKey, tuple[int, ...]]:
        """`(layer, expert)` -> ascending neuron indices."""
        groups: dict[MatrixKey, list[int]] = {}
        for neuron in self.items:
            groups.setdefault(neuron.matrix, []).append(neuron.index)
        return {key: tuple(sorted(groups[key])) for key in sorted(groups, key=in_order)}
