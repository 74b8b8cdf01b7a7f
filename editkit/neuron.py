"""Where: one hidden unit of one feed-forward layer, and a ranking of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from editkit.errors import UsageError

NAME: Final = re.compile(r"L(\d+)\.(?:E(\d+)\.)?N(\d+)")


@dataclass(frozen=True)
class Neuron:
    """Neuron `index` of layer `layer`; `expert` is set where the layer routes between experts."""

    layer: int
    index: int
    expert: int | None = None

    def __str__(self) -> str:
        expert = "" if self.expert is None else f"E{self.expert}."
        return f"L{self.layer}.{expert}N{self.index}"

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

    def by_layer(self) -> dict[tuple[int, int | None], tuple[int, ...]]:
        """`(layer, expert)` -> ascending neuron indices."""
        groups: dict[tuple[int, int | None], list[int]] = {}
        for neuron in self.items:
            groups.setdefault((neuron.layer, neuron.expert), []).append(neuron.index)
        ordered = sorted(groups, key=lambda key: (key[0], -1 if key[1] is None else key[1]))
        return {key: tuple(sorted(groups[key])) for key in ordered}
