"""What the pipeline hands back: of an edit made, of one only planned, of neurons only looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from editkit.neuron import Neurons
from editkit.patch.file import Patch
from editkit.plan import EditPlan
from editkit.recipe import Recipe
from editkit.report import Report


@dataclass(frozen=True)
class Applied:
    """What `apply` did."""

    recipe: Recipe
    model: str
    neurons: Neurons
    report: Report
    patch_path: Path
    patch: Patch
    run_id: str | None
    experiment: str | None
    seconds: Mapping[str, float]

    @property
    def accepted(self) -> bool:
        return self.report.verdict.accepted


@dataclass(frozen=True)
class Planned:
    """What `apply` would do: modules are (runtime name, name in the files, shape, dtype)."""

    plan: EditPlan
    modules: tuple[tuple[str, str, tuple[int, ...], str], ...]
    resolved: str
    writes: tuple[str, ...]


@dataclass(frozen=True)
class Located:
    """A ranking for the recipe and one for each edit, with the tokens each neuron promotes most."""

    neurons: Neurons
    per_edit: tuple[Neurons, ...]
    decoded: tuple[tuple[str, ...], ...]
